"""The API as the commands call it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from services.training.commands.failures import Problem, Refused, Unreachable

BASE = "/api/v1"
# A large import and the verification of every artifact take their time to answer.
PATIENCE = httpx.Timeout(300, connect=5)
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
LONGEST_TOLD = 300

Params = Mapping[str, str | int | list[str] | None]
Headers = Mapping[str, str]
Body = bytes | Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Api:
    """One server, one key. Every answer that is no success is raised: `Refused`, `Unreachable`."""

    url: str
    client: httpx.Client

    def get(self, path: str, params: Params | None = None) -> Any:
        return self._call("GET", path, params=params).json()

    def post(self, path: str, body: object = None, params: Params | None = None) -> Any:
        return self._call("POST", path, json=body, params=params).json()

    def put(self, path: str, body: object) -> Any:
        return self._call("PUT", path, json=body).json()

    def delete(self, path: str, params: Params | None = None) -> Any:
        return self._call("DELETE", path, params=params).json()

    def end(self, path: str) -> None:
        """DELETE what has nothing to say of it."""
        self._call("DELETE", path)

    def send(self, path: str, body: Body, headers: Headers, params: Params | None = None) -> Any:
        """POST bytes as they are."""
        return self._call("POST", path, content=body, headers=headers, params=params).json()

    def items(self, path: str, params: Params | None = None) -> Iterator[Any]:
        """Every item of a list, page after page."""
        cursor: str | None = None
        while True:
            page = self.get(path, {**(params or {}), "limit": 500, "cursor": cursor})
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    @contextmanager
    def stream(
        self, path: str, headers: Headers | None = None, params: Params | None = None
    ) -> Iterator[httpx.Response]:
        """A GET whose answer is read as it comes."""
        try:
            with self.client.stream(
                "GET", BASE + path, headers=headers, params=_given(params)
            ) as answer:
                if answer.is_error:
                    answer.read()
                    raise refusal(answer)
                yield answer
        except httpx.TransportError as error:
            raise Unreachable(self.url, _reason(error)) from error

    def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        request["params"] = _given(request.get("params"))
        try:
            answer = self.client.request(method, BASE + path, **request)
        except httpx.TransportError as error:
            raise Unreachable(self.url, _reason(error)) from error
        if answer.is_error:
            raise refusal(answer)
        return answer


@contextmanager
def open_api(url: str, key: str) -> Iterator[Api]:
    """The API at `url`, called with `key`; a machine's own is not asked for through a proxy."""
    host = urlsplit(url).hostname
    with httpx.Client(
        base_url=url.rstrip("/"),
        headers={"Authorization": f"Bearer {key}"},
        timeout=PATIENCE,
        trust_env=host not in LOOPBACK,
    ) as client:
        yield Api(url, client)


def refusal(answer: httpx.Response) -> Refused:
    """The problem that was answered, or one in its manner where something else answered."""
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        return Refused(answer.status_code, answer.json())
    problem: Problem = {
        "code": "not_morrow",
        "status": answer.status_code,
        "detail": f"{answer.url.copy_with(query=None)} answered {answer.status_code} and no "
        f"problem document, so it may not be Morrow: {answer.text[:LONGEST_TOLD]}",
    }
    return Refused(answer.status_code, problem)


def _given(params: Params | None) -> dict[str, str | int | list[str]]:
    return {name: value for name, value in (params or {}).items() if value is not None}


def _reason(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__
