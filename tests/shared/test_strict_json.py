"""JSON with one meaning: what is refused, and that all else is let through."""

import json

import pytest

from shared.strict_json import MOST_DEPTH, MOST_MEMBERS, StrictJsonError, require_plain


def nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    return (opening * depth + "1" + closing * depth).encode()


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "b": 2, "\\u0061": 3}',  # the same key, written otherwise
        b'{"x": [{"b": {"a": 1, "a": 2}}]}',
        b'{"a": 1, "a": {"a": 1}}',
        '{"a": 1, "a": 2}'.encode("utf-16"),
    ],
)
def test_a_key_that_stands_twice_is_refused_by_its_name(text: bytes) -> None:
    with pytest.raises(StrictJsonError, match="'a' twice") as refused:
        require_plain(text)
    assert refused.value.code == "duplicate_key"


@pytest.mark.parametrize(
    "text",
    [
        nested(MOST_DEPTH + 1),
        nested(MOST_DEPTH + 1, '{"a":', "}"),
        nested(300_000),
        nested(100_000, '{"a":', "}"),
        b"[1, [], " + nested(900) + b"]",
    ],
    ids=["lists", "objects", "many lists", "many objects", "beside others"],
)
def test_what_is_nested_too_deep_is_refused(text: bytes) -> None:
    with pytest.raises(StrictJsonError, match=f"at most {MOST_DEPTH} deep") as refused:
        require_plain(text)
    assert refused.value.code == "too_deep"


@pytest.mark.parametrize(
    "document",
    [
        {f"k{number}": 1 for number in range(MOST_MEMBERS)},
        [{}] * (MOST_MEMBERS + 1),
        {"a": [{"b": 1, "c": 2} for _ in range(MOST_MEMBERS // 3 + 1)]},
    ],
    ids=["in one object", "objects of none", "in many objects"],
)
def test_more_members_than_any_body_has_are_refused(document: object) -> None:
    with pytest.raises(StrictJsonError, match=f"at most {MOST_MEMBERS} members") as refused:
        require_plain(json.dumps(document).encode())
    assert refused.value.code == "too_many_members"


@pytest.mark.parametrize(
    "text",
    [
        b"null",
        b'{"a": {"a": {"a": 1}}, "A": 1}',
        nested(MOST_DEPTH),
        json.dumps(["name"] * 20_000).encode(),
        json.dumps({f"k{number}": [1, 2, 3] for number in range(MOST_MEMBERS - 1)}).encode(),
    ],
    ids=["null", "one key at each level", "deep", "long lists", "many members"],
)
def test_all_else_is_let_through(text: bytes) -> None:
    require_plain(text)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"9" * 5000, b'{"a": 1, "a"'])
def test_what_cannot_be_read_is_another_fault(text: bytes) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 -- the module's own is a subclass
        require_plain(text)
    assert not isinstance(refused.value, StrictJsonError)
