"""A bundle comes back as it was, and bytes that are none are refused by name."""

import gzip
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.training.demand.prediction import LEVELS
from services.training.models import bundle_reader
from services.training.models.bundle import Bundle, pack, unpack
from services.training.models.bundle_reader import BundleRefused, outline_of, read_content
from services.training.models.imports import outline_of as outline_in_a_process
from tests.models.made_models import THROUGH, forecast_days, made_bundle

PROPHET = dict.fromkeys(bundle_reader.PROPHET_KEYS) | {
    "growth": "linear",
    "changepoint_prior_scale": 0.05,
    "history_dates": json.dumps({"name": "ds", "data": ["2026-01-02T00:00:00.000", "2026-01-01"]}),
    "__prophet_version": "1.5.0",
}  # fmt: skip


def test_a_bundle_comes_back() -> None:
    bundle = made_bundle()

    assert unpack(pack(bundle)) == bundle


def test_the_same_training_has_the_same_bytes() -> None:
    turned = dict(reversed(made_bundle().model_dump().items()))

    assert pack(Bundle.model_validate(turned)) == pack(made_bundle())


def test_the_bytes_are_gzipped_json_that_names_its_format() -> None:
    content = json.loads(gzip.decompress(pack(made_bundle())))

    assert (content["format"], content["version"]) == ("morrow-bundle", 1)
    assert content["replay"]["libraries"] == {"prophet": "1.5.0"}
    assert content["replay"]["config"]["seed"] == 2026


def test_a_number_that_is_unknown_is_null() -> None:
    bundle = made_bundle(trials=[{"number": 0, "loss": float("nan")}])

    assert unpack(pack(bundle)).trials == [{"number": 0, "loss": None}]


def falling(day: dict[str, Any]) -> dict[str, Any]:
    return day | {"quantiles": day["quantiles"][::-1]}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"forecast": [falling(forecast_days(1)[0])]}, "forecast.0: .* fall"),
        ({"forecast": [forecast_days(1)[0] | {"mean": -1.0}]}, "forecast.0.mean"),
        ({"forecast": [forecast_days(1)[0] | {"quantiles": [1.0]}]}, "forecast.0.quantiles"),
        ({"forecast": forecast_days(3)[1:]}, "day 1 after 2026-06-30"),
        ({"trained_through": THROUGH + timedelta(days=1)}, "day 1 after 2026-07-01"),
        ({"levels": LEVELS[:-1]}, "levels"),
        ({"confidence": 1.5}, "confidence"),
        ({"stage": "ready"}, "stage"),
        ({"product": "a\0b"}, "product"),
        ({"scores": "good"}, "scores"),
    ],
)
def test_a_bundle_that_breaks_its_promises_is_refused(changes: dict[str, Any], named: str) -> None:
    content = json.loads(gzip.decompress(pack(made_bundle())))
    content |= json.loads(json.dumps(changes, default=str))

    with pytest.raises(BundleRefused, match=named) as refused:
        unpack(json.dumps(content).encode())
    assert refused.value.code == "malformed_bundle"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_json"),
        (b"\x1f\x8b damaged", "not_gzip"),
        (gzip.compress(b"{}", mtime=0)[:-4], "not_gzip"),
        (gzip.compress(b"{}", mtime=0) + b"more", "not_gzip"),
        (gzip.compress(b"\xff", mtime=0), "not_json"),
        (b"[1, 2]", "not_a_model"),
        (b"[" * 200_000, "too_deep"),
        (b'{"format": "morrow-bundle", "version": 2}', "unknown_format"),
        (b'{"format": "other", "version": 1}', "unknown_format"),
        (b"9" * 5000, "not_json"),
        (b'{"format": "other", "format": "morrow-bundle", "version": 1}', "duplicate_key"),
        (b'{"a": [{"b": {"version": 1, "\\u0076ersion": 2}}]}', "duplicate_key"),
    ],
)
def test_bytes_that_are_no_bundle_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(BundleRefused) as refused:
        unpack(data)
    assert refused.value.code == code


@pytest.mark.parametrize("size", [3_000_000, 40_000_000])
def test_content_that_expands_too_far_is_refused_before_it_is_expanded(
    size: int, tmp_path: Path
) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(b" " * size))

    with path.open("rb") as file, pytest.raises(BundleRefused) as refused:
        read_content(file, most=2_000_000)
    assert refused.value.code == "expands_too_far"
    with path.open("rb") as file:
        assert file.seek(0, 2) < 50_000


async def told(tmp_path: Path, content: object) -> dict[str, Any]:
    path = tmp_path / "upload"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return await outline_in_a_process(str(path))


async def test_an_outline_of_a_bundle_has_everything_but_the_weights(tmp_path: Path) -> None:
    outline = await told(tmp_path, pack(made_bundle()))

    assert outline["bundle"]["replay"].keys() == {"engine", "config", "data_sha256", "libraries"}
    assert outline["bundle"]["trials"] == [{"number": 0, "loss": 1.5}]


async def test_an_outline_of_prophets_own_json_tells_its_last_day(tmp_path: Path) -> None:
    assert await told(tmp_path, PROPHET) == {
        "prophet": {
            "params": {"growth": "linear", "changepoint_prior_scale": 0.05},
            "prophet_version": "1.5.0",
            "trained_through": "2026-01-02",
        }
    }


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"growth": "linear"}, "not_a_model"),
        (PROPHET | {"history_dates": "[]"}, "not_a_model"),
        (PROPHET | {"history_dates": None}, "not_a_model"),
        (PROPHET | {"history_dates": '{"data": []}'}, "not_a_model"),
        (PROPHET | {"history_dates": '{"data": [], "data": ["2026-01-01"]}'}, "duplicate_key"),
        (PROPHET | {"growth": "a\0b"}, "not_storable"),
        (PROPHET | {"growth": "\ud800"}, "not_storable"),
        (PROPHET | {"changepoint_range": float("nan")}, "not_storable"),
        (PROPHET | {"growth": "x" * 9_000_000}, "too_much_detail"),
        ({"format": "morrow-bundle", "version": 1, "replay": {}}, "not_a_model"),
        (b"[" * 5_000_000, "too_deep"),
    ],
)
async def test_the_process_refuses_what_cannot_be_a_model(
    content: object, code: str, tmp_path: Path
) -> None:
    with pytest.raises(BundleRefused) as refused:
        await told(tmp_path, content)
    assert refused.value.code == code


def test_reading_loads_neither_frames_nor_prophet() -> None:
    program = (
        "import sys, services.training.models.bundle_reader;"
        "print(sorted({'numpy', 'pandas', 'prophet', 'pydantic'} & sys.modules.keys()))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert told.stdout == "[]\n"


def test_a_key_that_stands_twice_beside_the_weights_or_in_them_is_named() -> None:
    whole = gzip.decompress(pack(made_bundle())).decode()
    for name in ("product", "seed", "model"):
        twice = whole.replace(f'"{name}":', f'"{name}":null,"{name}":', 1)
        assert twice != whole
        with pytest.raises(BundleRefused, match=f"the key '{name}' twice"):
            unpack(twice.encode())


def test_what_a_bundle_says_of_its_weights_is_required() -> None:
    content = json.loads(gzip.decompress(pack(made_bundle())))
    del content["replay"]["model"]

    with pytest.raises(BundleRefused, match="weights"):
        outline_of(content)
