"""Read the bytes of a bundle, or of a model of Prophet's own, without trusting them.

Run as a program it prints an outline (the content without the weights) as one line of JSON. It is
a process of its own because parsing holds the interpreter for as long as it takes and memory as
large as the sender likes; here both are limited, and only standard modules are loaded, with one
of our own that loads no others.
"""

import gc
import json
import os
import resource
import sys
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Final

from shared.strict_json import StrictJsonError, is_deeper, strict_object

Json = dict[str, Any]

FORMAT: Final = "morrow-bundle"
VERSION: Final = 1
MOST_EXPANDED: Final = 500 * 1024 * 1024
DEEPEST: Final = 64
"""What is nested deeper cannot be written by whoever shows it."""
MOST_OUTLINE: Final = 8 * 1024 * 1024
MEMORY_BYTES: Final = 2 * 1024 * 1024 * 1024
CPU_SECONDS: Final = 120

HEAVY: Final = frozenset({"model", "calibration"})
PROPHET_KEYS: Final = frozenset(
    {
        "growth", "history", "history_dates", "params", "start", "t_scale", "y_scale",
        "changepoints", "changepoints_t", "seasonalities", "extra_regressors",
        "train_component_cols", "component_modes",
    }
)  # fmt: skip
PROPHET_PARAMS: Final = (
    "growth",
    "changepoint_prior_scale",
    "changepoint_range",
    "seasonality_mode",
    "seasonality_prior_scale",
    "holidays_prior_scale",
)


class BundleRefused(ValueError):
    """Bytes that are no model; `code` is stable, the message says what was found instead."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


def read_content(file: BinaryIO, most: int = MOST_EXPANDED) -> Json:
    """The JSON object in `file`, gzipped or plain, of at most `most` bytes. `BundleRefused`."""
    content = _parsed(_expanded(file, most))
    if not isinstance(content, dict):
        raise BundleRefused("not_a_model", "the JSON is not an object")
    return content


def _parsed(text: str | bytearray) -> object:
    try:
        return json.loads(text, object_pairs_hook=strict_object)
    except RecursionError:
        raise BundleRefused("too_deep", "the JSON is nested too deeply to be a model") from None
    except StrictJsonError as error:
        raise BundleRefused(error.code, str(error)) from None
    except ValueError as error:
        raise BundleRefused("not_json", f"the content is not JSON: {error}") from None


def _expanded(file: BinaryIO, most: int) -> bytearray:
    gzipped = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    expanded = bytearray()
    for chunk in _gunzipped(file) if gzipped else iter(lambda: file.read(1 << 20), b""):
        expanded += chunk
        if len(expanded) > most:
            raise BundleRefused("expands_too_far", f"the content is larger than {most} bytes")
    return expanded


def _gunzipped(file: BinaryIO) -> Iterator[bytes]:
    machine = zlib.decompressobj(wbits=31)
    try:
        while compressed := machine.unconsumed_tail or file.read(1 << 16):
            yield machine.decompress(compressed, 1 << 20)
            if machine.eof:
                break
        yield machine.flush()
    except zlib.error as error:
        raise BundleRefused("not_gzip", f"the gzip data is damaged: {error}") from None
    if not machine.eof or machine.unused_data or file.read(1):
        raise BundleRefused("not_gzip", "the gzip data is cut short, or is followed by more")


def outline_of(content: Json) -> Json:
    """`{"bundle": …}` without the weights, or `{"prophet": …}` with what can be told of it."""
    if "format" in content:
        return {"bundle": _bundle_outline(content)}
    return {"prophet": _prophet_outline(content)}


def require_version(content: Json) -> None:
    """`BundleRefused` unless this code can read the bundle."""
    if content.get("format") != FORMAT or content.get("version") != VERSION:
        found = f"{content.get('format')!s:.50} {content.get('version')!s:.20}"
        raise BundleRefused("unknown_format", f"format {found!r} is not {FORMAT} {VERSION}")


def _bundle_outline(content: Json) -> Json:
    require_version(content)
    replay = content.get("replay")
    if not isinstance(replay, dict) or not replay.keys() >= HEAVY:
        raise BundleRefused("not_a_model", "the bundle holds no weights: `replay` lacks `model`")
    light = {name: value for name, value in replay.items() if name not in HEAVY}
    return {**content, "replay": light}


def _prophet_outline(content: Json) -> Json:
    missing = sorted(PROPHET_KEYS - content.keys())
    if missing:
        raise BundleRefused(
            "not_a_model",
            f"neither a bundle (no `format`) nor of prophet.serialize (no {', '.join(missing)})",
        )
    return {
        "params": {name: content[name] for name in PROPHET_PARAMS if name in content},
        "prophet_version": content.get("__prophet_version"),
        "trained_through": _last_day(content["history_dates"]),
    }


def _last_day(history_dates: object) -> str:
    try:
        days = json.loads(history_dates, object_pairs_hook=strict_object)["data"]  # type: ignore[arg-type]
        return max(date.fromisoformat(day[:10]) for day in days).isoformat()
    except StrictJsonError as error:
        raise BundleRefused(error.code, f"`history_dates`: {error}") from None
    except (TypeError, KeyError, ValueError):
        raise BundleRefused(
            "not_a_model", "`history_dates` does not hold the dates the model was fitted on"
        ) from None


def _line(outline: Json) -> str:
    if is_deeper(outline, DEEPEST):
        raise BundleRefused("too_deep", f"nested deeper than {DEEPEST} beside the weights")
    try:
        text = json.dumps(outline, allow_nan=False, ensure_ascii=False)
        text.encode()
    except ValueError:
        raise BundleRefused(
            "not_storable", "a number is not finite, or a text not Unicode"
        ) from None
    if "\\u0000" in text:
        raise BundleRefused("not_storable", "a text holds NUL")
    if len(text) > MOST_OUTLINE:
        raise BundleRefused("too_much_detail", f"more than {MOST_OUTLINE} bytes beside the weights")
    return text


def _answer(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return _line(outline_of(read_content(file)))
    except BundleRefused as error:
        return json.dumps({"refused": {"code": error.code, "message": error.message}})
    except MemoryError:
        return json.dumps(
            {"refused": {"code": "too_large", "message": "it does not fit in memory"}}
        )


if __name__ == "__main__":
    gc.disable()  # nothing here is a cycle, and each look at millions of lists takes seconds
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    sys.stdout.buffer.write(_answer(Path(sys.argv[1])).encode())
