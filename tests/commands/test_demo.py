"""`morrow demo` as a newcomer runs it, and the commands against what it leaves running."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.postgres.orphans import processes_in
from tests.commands.run_morrow import answer, morrow
from tests.process_life import PATIENCE_SECONDS, all_end

NEW = "pumpkin-seed-loaf"
CLI = (sys.executable, "-m", "services.training.cli")


@dataclass(frozen=True)
class Demo:
    """A demo that stays, and what it said."""

    process: subprocess.Popen[str]
    data_dir: Path
    report: dict[str, Any]

    @property
    def variables(self) -> dict[str, str]:
        return {"URL": self.report["url"], "API_KEY": self.report["api_key"]}


def start(data_dir: Path, *options: str) -> subprocess.Popen[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MORROW_")}
    environ["MORROW_BREAKER_WEATHER_OPEN_SECONDS"] = "1"
    return subprocess.Popen(
        [*CLI, "demo", "--data-dir", str(data_dir), "--max-trials", "1", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    )


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with tempfile.TemporaryDirectory(prefix="morrow-demo-") as folder:
        Path(folder).chmod(0o711)
        data_dir = Path(folder) / "data"
        with start(data_dir, "--port", "0", "--json") as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            try:
                assert line, process.communicate()[1]
                yield Demo(process, data_dir, json.loads(line))
            finally:
                process.terminate()
                process.wait(PATIENCE_SECONDS)


def test_every_product_has_its_forecast_or_its_reason(demo: Demo) -> None:
    report = demo.report
    assert report["faults"] == []
    assert (report["job"]["status"], report["job"]["warnings"]) == ("succeeded", [])
    products = {item["product"]: item for item in report["products"]}
    assert len(products) == report["job"]["products"]["total"] == 14
    assert [item["refusal"] for item in products.values()] == [None] * 14  # the new one too
    assert products["roll"]["level"] == "champion"
    assert len(products["roll"]["last_week"]) == len(products["roll"]["coming_week"]) == 7
    assert products["nut-swirl"]["coming_week"] == []  # no longer sold
    assert set(report["seconds"]) > {"train", "pull sales, weather and traffic"}


def test_forecasts_are_shown_for_all_and_for_one(demo: Demo) -> None:
    every = answer(morrow("forecast", "--json", **demo.variables))["items"]
    assert len(every) == 14
    table = morrow("forecast", **demo.variables).stdout
    assert all(item["product"] in table for item in every)
    one = answer(morrow("forecast", "roll", "--days", "3", "--json", **demo.variables))
    assert [len(one["days"]), one["product"]] == [3, "roll"]
    days = morrow("forecast", "roll", "--days", "3", **demo.variables).stdout.splitlines()
    assert sum("–" in line for line in days) == 3
    unknown = morrow("forecast", "pizza", **demo.variables)
    assert unknown.exit_code == 1
    assert "pizza" in unknown.stderr
    assert morrow("forecast", "--days", "3", **demo.variables).exit_code == 2


def test_following_a_job_shows_it_to_its_end(demo: Demo) -> None:
    followed = morrow(
        *("train", "--product", "roll", "--max-trials", "1", "--force", "--follow"),
        **demo.variables,
    )
    assert followed.exit_code == 0
    assert "[100.0 %] 1 series: 1 trained" in followed.stderr
    assert "succeeded: 1 series, 1 trained" in followed.stdout


def test_a_job_of_which_nothing_was_trained_ends_with_one(demo: Demo) -> None:
    alone = ("train", "--product", NEW, "--family", "prophet", "--follow")  # it needs the pool
    followed = morrow(*alone, "--json", **demo.variables)
    assert followed.exit_code == 1
    told = json.loads(followed.stdout)
    assert (told["status"], told["items"][0]["error"]["code"]) == ("failed", "too_short")
    shown = morrow(*alone, **demo.variables)
    assert shown.exit_code == 1
    assert "30 are needed" in shown.stderr
    refused = morrow("train", "--max-trials", "0", **demo.variables)
    assert refused.exit_code == 1
    assert "max_trials" in refused.stderr


def test_a_job_goes_on_without_the_weather_and_its_breaker_opens_and_closes(demo: Demo) -> None:
    again = ("train", "--product", "roll", "--family", "prophet", "--force", "--follow")
    suppliers = demo.report["suppliers_url"]
    assert httpx.post(f"{suppliers}/fail?supplier=weather").is_success
    degraded = answer(morrow(*again, "--json", **demo.variables))
    assert degraded["status"] == "succeeded"
    assert "weather_degraded" in {warning["code"] for warning in degraded["warnings"]}
    opened = breaker_of(demo, "weather")
    assert opened["state"] in {"open", "half_open"}  # by the time it is asked for
    assert opened["opened_count"] == 1
    assert httpx.post(f"{suppliers}/heal").is_success
    time.sleep(1.5)  # longer than it stays open
    well = answer(morrow(*again, "--json", **demo.variables))
    assert (well["status"], well["warnings"]) == ("succeeded", [])
    assert breaker_of(demo, "weather")["state"] == "closed"


def breaker_of(demo: Demo, kind: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {demo.report['api_key']}"}
    told = httpx.get(f"{demo.report['url']}/api/v1/circuit-breakers", headers=headers)
    return next(each for each in told.json()["items"] if each["name"].startswith(f"{kind}:"))


def test_a_model_goes_out_and_comes_in(demo: Demo, tmp_path: Path) -> None:
    models = answer(morrow("models", "list", "--product", "roll", "--json", **demo.variables))
    model = models["items"][0]
    path = tmp_path / "roll.json.gz"
    told = answer(
        morrow("models", "export", model["id"], "-o", str(path), "--json", **demo.variables)
    )
    assert told["sha256"] == model["sha256"]
    assert path.stat().st_size == model["bytes"]
    assert list(tmp_path.iterdir()) == [path]
    imported = answer(morrow("models", "import", str(path), "--json", **demo.variables))
    assert imported["aliases"] == ["challenger"]
    assert imported["version"] > model["version"]
    lost = morrow("models", "export", model["id"], "-o", "/nowhere/x", **demo.variables)
    assert lost.exit_code == 1
    assert "cannot write /nowhere/x" in lost.stderr


def test_verify_ends_with_one_when_an_artifact_is_damaged(demo: Demo) -> None:
    sound = answer(morrow("models", "verify", "--json", **demo.variables))
    assert sound["corrupt"] == []
    assert sound["checked"] >= 13
    listed = morrow("models", "list", "--product", "coffee", "--json", **demo.variables)
    sha256 = answer(listed)["items"][0]["sha256"]
    (artifact,) = demo.data_dir.joinpath("models").rglob(sha256)
    artifact.write_bytes(b"damage")
    damaged = morrow("models", "verify", **demo.variables)
    assert damaged.exit_code == 1
    assert "1 damaged" in damaged.stdout


def test_doctor_looks_at_a_running_morrow(demo: Demo) -> None:
    told = subprocess.run(
        [*CLI, "doctor", "--data-dir", str(demo.data_dir), "--json"],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("MORROW_")},
        check=False,
    )
    assert json.loads(told.stdout)["healthy"], told.stdout
    assert told.returncode == 0


def test_interrupted_it_leaves_nothing_and_a_second_one_finds_its_tenant(demo: Demo) -> None:
    """The last of this module: it ends the demo."""
    servers = processes_in(demo.data_dir / "postgres" / "cluster")
    assert servers
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(PATIENCE_SECONDS) == 0
    assert all_end(list(servers))
    again = start(demo.data_dir, "--exit")
    out, progress = again.communicate(timeout=120)
    assert again.returncode == 0, progress
    assert "it is there from an earlier demo" in progress
    assert "coming" in out
    assert demo.report["api_key"] not in out
    assert processes_in(demo.data_dir / "postgres" / "cluster") == ()
