"""Model versions."""

from morrow.call import BASE, Again, Call, Content, Pages, get, listed, post
from morrow.schemas.models import Alias, Model, ModelDetail, Verification
from morrow.values import Id


def list_models(
    *, product: str | None = None, location: str | None = None, alias: Alias | None = None
) -> Pages[Model]:
    """Versions, the newest of a product first."""
    return listed("/models", {"product": product, "location": location, "alias": alias})


def get_model(model_id: Id) -> Call[ModelDetail]:
    """A version, and how it came about."""
    return get("/models/{model_id}", model_id=model_id)


def read_artifact(model_id: Id) -> Call[object]:
    """The bytes of a version, verified before the first is sent."""
    return get("/models/{model_id}/artifact", model_id=model_id)


def import_artifact(
    content: Content, repr_digest: str, product: str | None, location: str | None
) -> Call[Model]:
    """A bundle, or Prophet's own JSON, becomes its product's challenger."""
    return Call(
        "POST",
        BASE + "/models/import",
        query={"product": product, "location": location},
        content=content,
        headers={"Repr-Digest": repr_digest},
        again=Again.NEVER,
    )


def promote_model(model_id: Id) -> Call[Model]:
    """Make a version the champion of its product; the champion becomes `previous`."""
    return post("/models/{model_id}/promote", Again.SAFE, model_id=model_id)


def roll_back_model(product: str, *, location: str = "main") -> Call[Model]:
    """Undo a product's last change of champion: twice is as before."""
    return post("/models/rollback", Again.NEVER, {"product": product, "location": location})


def verify_models() -> Call[Verification]:
    """Hash every artifact again; what is damaged or missing is quarantined."""
    return post("/models/verify", Again.SAFE)
