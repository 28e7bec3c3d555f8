"""Files to and from the service: whole, or not at all."""

import base64
import hashlib
from pathlib import Path

import pandas as pd
import pytest

from morrow import Damaged, Refused, Unreachable
from tests.client.either import Either
from tests.client.scripted import Answer, Scripted, problem
from tests.jobs.asking import sales_rows

BODY = bytes(range(256)) * 3000
DIGEST = hashlib.sha256(BODY).hexdigest()


def artifact(body: bytes = BODY, **options: bool) -> Answer:
    return Answer(200, body, {"ETag": f'"{DIGEST}"'}, "application/gzip", **options)


def test_what_is_fetched_is_verified(script: Scripted, either: Either, tmp_path: Path) -> None:
    script.answers = [artifact()]
    done = either.do("download_artifact", "7", tmp_path / "model")
    assert (done.path, done.bytes, done.sha256) == (tmp_path / "model", len(BODY), DIGEST)
    assert done.path.read_bytes() == BODY
    assert script.asked[0].path == "/api/v1/models/7/artifact"


def test_what_was_cut_is_fetched_anew(script: Scripted, either: Either, tmp_path: Path) -> None:
    script.answers = [
        artifact(BODY[:1000], cut=True),
        Answer(hung_up=True),
        problem(503, "model_store_unavailable", Retry_After="0"),
        artifact(),
    ]
    done = either.do("download_artifact", "7", tmp_path / "model")
    assert done.path.read_bytes() == BODY


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (artifact(BODY[:-1]), Damaged),
        (artifact(BODY[:-1], cut=True), Unreachable),
        (problem(410, "artifact_corrupt"), Refused),
    ],
)
def test_of_what_cannot_be_had_nothing_is_left(
    script: Scripted, either: Either, tmp_path: Path, answer: Answer, error: type[Exception]
) -> None:
    script.answers = [answer]
    (tmp_path / "model").write_text("from before")
    with pytest.raises(error):
        either.do("download_artifact", "7", tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model").read_text() == "from before"


def test_a_model_is_sent_with_its_digest(script: Scripted, either: Either, tmp_path: Path) -> None:
    path = tmp_path / "model.json.gz"
    path.write_bytes(BODY)
    script.answers = [problem(429, "too_many_requests", Retry_After="0"), Answer(201)]
    either.do("import_model", path, product="rye bread", location="main")
    first, second = script.asked
    assert first.body == second.body == BODY
    assert second.path == "/api/v1/models/import?product=rye+bread&location=main"
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    assert second.headers["repr-digest"] == f"sha-256=:{digest}:"


@pytest.mark.parametrize("format", ["csv", "parquet", "json"])
def test_stored_sales_come_as_a_file(own: Either, tmp_path: Path, format: str) -> None:
    own.do("import_sales", sales_rows("rye", 20) + sales_rows("bun", 20))
    path = tmp_path / "sales"
    own.do("download_sales", path, format=format, product="rye", first="2025-01-07")
    if format == "json":
        assert path.read_bytes().startswith(b'{"items":[')
        return
    found = pd.read_csv(path) if format == "csv" else pd.read_parquet(path)
    assert len(found) == 19
    assert set(found["product"]) == {"rye"}


def test_forecasts_come_as_a_file(own: Either, tmp_path: Path) -> None:
    own.do("import_sales", sales_rows("rye", 40))
    own.do("download_forecasts", tmp_path / "forecasts.csv", quantiles=[0.2, 0.8])
    found = pd.read_csv(tmp_path / "forecasts.csv")
    assert {"q0.2", "q0.8", "mean"} <= set(found.columns)
    assert set(found["product"]) == {"rye"}
