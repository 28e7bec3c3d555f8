"""Bodies that cannot be read at all: refused with the reason, whatever they hold."""

import pytest

from services.training.sales.frame import MOST_COLUMNS
from services.training.sales.media import reader_for
from shared.errors import Problem

JSON, CSV, LINES, PARQUET = (
    "application/json",
    "text/csv",
    "application/x-ndjson",
    "application/x-parquet",
)


@pytest.mark.parametrize(
    ("media_type", "body", "code"),
    [
        (JSON, b"", "empty_body"),
        (JSON, b" \n", "empty_body"),
        (JSON, b"{", "invalid_json"),
        (JSON, b"[1, 2]", "invalid_json"),
        (JSON, b"null", "invalid_json"),
        (JSON, b'{"rows": {}}', "invalid_json"),
        (JSON, b'{"rows": [], "more": 1}', "invalid_json"),
        (JSON, b'{"rows": [1, {}]}', "not_an_object"),
        (JSON, b'{"rows": [{"a": 1, "a": 2}]}', "duplicate_key"),
        (JSON, b'{"rows": [], "rows": []}', "duplicate_key"),
        (JSON, b'{"rows": [{"a": ' + b"1" * 5000 + b"}]}", "invalid_json"),
        (JSON, b"[" * 100_000, "invalid_json"),
        (JSON, b'{"a":' * 100_000, "invalid_json"),
        (JSON, '{"rows": []}'.encode("utf-16"), "invalid_encoding"),
        (JSON, b'{"rows": [{"product": "\xff"}]}', "invalid_encoding"),
        (LINES, b'{"a": 1}\n{"a": ', "invalid_json"),
        (LINES, b'{"a": 1} {"a": 2}', "invalid_json"),
        (LINES, b'{"a": 1}\n7', "not_an_object"),
        (LINES, b'{"a":' * 100_000, "invalid_json"),
        (CSV, b"", "empty_body"),
        (CSV, b"date;product;quantity\n2026-01-01;a;1", "not_comma_separated"),
        (CSV, b"date\tproduct\n", "not_comma_separated"),
        (CSV, b"date,product,date\n", "duplicate_column"),
        (CSV, b"date,product\n2026-01-01,a\n2026-01-01\n1,2,3\n", "ragged_row"),
        (CSV, b'date,"pro', "invalid_csv"),
        (CSV, b"date,product\nM\xfcller,1", "invalid_encoding"),
        (CSV, b",".join(b"c%d" % at for at in range(MOST_COLUMNS + 1)), "too_many_columns"),
        (PARQUET, b"", "invalid_parquet"),
        (PARQUET, b"PAR1 is how it begins PAR1", "invalid_parquet"),
        (PARQUET, b"\x00" * 4000, "invalid_parquet"),
    ],
)
def test_an_unreadable_body_is_a_422_with_its_reason(
    media_type: str, body: bytes, code: str
) -> None:
    with pytest.raises(Problem) as caught:
        reader_for(media_type)(body)
    assert caught.value.status == 422
    assert (caught.value.errors or [])[0].code == code


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        (None, "unsupported_media_type"),
        ("", "unsupported_media_type"),
        ("text/plain", "unsupported_media_type"),
        ("multipart/form-data; boundary=x", "unsupported_media_type"),
        ("nonsense", "unsupported_media_type"),
        ("text/csv; charset=latin-1", "unsupported_charset"),
    ],
)
def test_a_medium_that_is_not_taken_is_a_415(content_type: str | None, code: str) -> None:
    with pytest.raises(Problem) as caught:
        reader_for(content_type)
    assert (caught.value.status, caught.value.code) == (415, code)


def test_ragged_rows_are_named_by_their_number_among_the_data() -> None:
    with pytest.raises(Problem) as caught:
        reader_for(CSV)(b"date,product\r\n1,2\r\n\r\n3\r\n4,5\r\n6,7,8\r\n")
    assert [error.row for error in caught.value.errors or []] == [2, 4]


def test_csv_is_not_guessed_at() -> None:
    frame = reader_for("Text/CSV")(
        b'\xef\xbb\xbfdate,product\r\n"1","NA"\r\nnull,"a,""b"""\r\n,\r\n'
    )
    assert frame.rows == 3
    assert frame.columns["date"].values.to_pylist() == ["1", "null", None]
    assert frame.columns["product"].values.to_pylist() == ["NA", 'a,"b"', None]


def test_a_null_is_told_from_a_field_that_is_not_there() -> None:
    frame = reader_for(JSON)(b'{"rows": [{"a": null}, {}, {"a": 1}]}')
    assert frame.absent("a").tolist() == [False, True, False]
    assert frame.absent("b").all()
