"""The `Range` field (RFC 9110, section 14), for one range of bytes."""

import re

from shared.errors import Problem

ONE_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", re.IGNORECASE)


def requested_range(field: str | None, size: int) -> range | None:
    """The positions asked for of `size` bytes; None means all of them.

    A field that is malformed, of another unit or of several ranges is ignored, as the RFC allows.
    One that no byte satisfies is a 416.
    """
    found = ONE_RANGE.fullmatch(field or "")
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        last_bytes = int(found[2])
        positions = range(max(0, size - last_bytes), size)
    else:
        first = int(found[1])
        if found[2] and int(found[2]) < first:
            return None
        end = int(found[2]) + 1 if found[2] else size
        positions = range(first, min(end, size))
    if not positions:
        raise Problem(
            416,
            "range_not_satisfiable",
            f"{field!s:.80} asks for none of the {size} bytes",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return positions
