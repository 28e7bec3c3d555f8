"""The OpenAPI document as a page that runs nothing: the usual ones load scripts from elsewhere,
which would then read what is typed into them, keys for example."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from shared.safe_headers import NOTHING_RUNS

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
    "code{font-family:ui-monospace,monospace}summary{cursor:pointer}"
    "b{display:inline-block;min-width:4.5em}td{vertical-align:top;padding-right:1em}"
)
POLICY = f"{NOTHING_RUNS}; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'"


def serve_openapi_page(app: FastAPI, path: str = "/docs") -> None:
    """Serve the page at `path`."""

    async def docs(_: Request) -> HTMLResponse:
        page = openapi_page(app.openapi())
        return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})

    app.add_route(path, docs, methods=["GET"], include_in_schema=False)


def openapi_page(document: Mapping[str, Any]) -> str:
    """The document as HTML: what of it can be called, with what, and what it answers."""
    info = document["info"]
    title = escape(f"{info['title']} {info['version']}")
    return "\n".join(
        (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>',
            f"<style>{STYLE}</style><h1>{title}</h1>",
            f"<p>{escape(info.get('summary', ''))}. For programs: "
            '<a href="openapi.json">openapi.json</a></p>',
            *(
                _operation(path, method, operation)
                for path, methods in document["paths"].items()
                for method, operation in methods.items()
            ),
        )
    )


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    return "".join(
        (
            f"<details><summary><b>{escape(method.upper())}</b> <code>{escape(path)}</code> ",
            f"{escape(operation.get('summary', ''))}</summary>",
            f"<p>{escape(operation.get('description', ''))}</p><table>",
            *(
                f"<tr><td><code>{escape(name)}</code><td>{escape(told)}"
                for name, told in _rows(operation)
            ),
            "</table></details>",
        )
    )


def _rows(operation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for parameter in operation.get("parameters", ()):
        needed = "needed" if parameter.get("required") else "optional"
        yield parameter["name"], f"{parameter['in']}, {needed}. {parameter.get('description', '')}"
    for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
        yield media_type, f"body {_name_of(body.get('schema', {}))}"
    for status, response in operation["responses"].items():
        yield status, response["description"]


def _name_of(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", schema.get("title", ""))).rpartition("/")[2]
