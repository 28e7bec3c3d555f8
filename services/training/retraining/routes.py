"""The retraining policy over HTTP."""

from fastapi import APIRouter

from services.training.deps import Admin, Reader, Transaction
from services.training.retraining import store
from services.training.retraining.policy import Policy, PolicyOut

router = APIRouter(tags=["training"])


@router.get("/retraining-policy")
async def get_retraining_policy(_: Reader, session: Transaction) -> PolicyOut:
    """When the service trains the tenant's series again by itself."""
    return await store.read_policy_out(session)


@router.put("/retraining-policy")
async def put_retraining_policy(body: Policy, caller: Admin, session: Transaction) -> PolicyOut:
    """Set the whole policy: a field that is left out takes its default."""
    await store.keep_policy(session, caller.tenant_id, body, caller.actor)
    return await store.read_policy_out(session)
