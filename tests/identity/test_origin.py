"""A page may open a stream where it is the API's own, or named; what is no page always may."""

import pytest
from starlette.datastructures import Headers

from services.training.identity.origin import require_origin
from services.training.settings import Settings, SettingsRefused
from shared.errors import Problem

ALLOWED = ("https://app.example", "http://shop.example:8080")


def asked(host: str, *origins: str) -> Headers:
    raw = [(b"host", host.encode()), *((b"origin", origin.encode()) for origin in origins)]
    return Headers(raw=raw)


@pytest.mark.parametrize(
    ("host", "origins"),
    [
        ("api.example", ()),
        ("api.example", ("https://app.example",)),
        ("api.example", ("https://APP.example:443",)),
        ("api.example", ("http://shop.example:8080",)),
        ("api.example", ("https://api.example",)),
        ("api.example:443", ("https://api.example",)),
        ("127.0.0.1:8000", ("http://127.0.0.1:8000",)),
        ("[::1]:8000", ("http://[::1]:8000",)),
    ],
)
def test_who_is_let_through(host: str, origins: tuple[str, ...]) -> None:
    require_origin(asked(host, *origins), ALLOWED)


@pytest.mark.parametrize(
    ("host", "origins"),
    [
        ("api.example", ("https://evil.example",)),
        ("api.example", ("http://app.example",)),
        ("api.example", ("https://app.example:444",)),
        ("api.example", ("https://app.example.evil.example",)),
        ("api.example", ("https://app.example@evil.example",)),
        ("api.example", ("https://sub.app.example",)),
        ("api.example:8000", ("https://api.example",)),
        ("api.example", ("https://api.example:8000",)),
        ("api.example", ("null",)),
        ("api.example", ("",)),
        ("api.example", ("*",)),
        ("api.example", ("file://",)),
        ("api.example", ("https://api.example:99999",)),
        ("api.example", ("https://[::1",)),
        ("api.example", ("https://app.example", "https://evil.example")),
        ("", ("https://evil.example",)),
        ("evil.example/x", ("https://evil.example",)),
    ],
)
def test_who_is_refused(host: str, origins: tuple[str, ...]) -> None:
    with pytest.raises(Problem) as refused:
        require_origin(asked(host, *origins), ALLOWED)
    assert (refused.value.status, refused.value.code) == (403, "origin_refused")


def test_the_setting_names_origins_and_nothing_else() -> None:
    known = {"database_url": "postgresql://x/y"}
    read = Settings.load(**known, allowed_origins="https://App.example:443, http://b.example:81/")
    assert read.allowed_origins == ("https://app.example", "http://b.example:81")
    for wrong in ("*", "app.example", "https://app.example/page", "https://u:p@app.example"):
        with pytest.raises(SettingsRefused, match="MORROW_ALLOWED_ORIGINS"):
            Settings.load(**known, allowed_origins=wrong)
