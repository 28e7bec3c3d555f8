"""The audit never passes over in silence what it could not look up."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from infrastructure.supply.accepted import ACCEPTED, Accepted, read_accepted
from infrastructure.supply.audit import KNOWN_BAD, Verdict, audit, main
from infrastructure.supply.pip_audit_run import Fault, Looked, Version, look_up
from tests.supply.made_index import GHSA, PYYAML, MadeIndex, ask_through, served

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 22)
OURS = [
    Version("alembic", "1.20.1"),
    Version("anyio", "4.16.0"),
    Version("numpy", "2.4.6"),
    Version("numpy", "2.5.5"),
    Version("rich", "14.0.0"),
]
BAD = Fault(KNOWN_BAD, ("CVE-2020-14343",), ("5.4",))
FAULT = Fault(OURS[-1], ("PYSEC-2026-7", "CVE-2026-7"), ("14.0.1",))
REPORTED = {"id": "PYSEC-2026-7", "aliases": ["CVE-2026-7"], "fixed_in": ["14.0.1"], "details": "x"}


def index(known: Iterable[Version], *faults: Fault) -> Callable[[Sequence[Version]], Looked]:
    """An index that has the `known` versions and `faults`."""
    held = set(known)

    def look_up(versions: Sequence[Version]) -> Looked:
        up = frozenset(held & set(versions))
        missing = {each: "not found" for each in versions if each not in up}
        return Looked(up, missing, tuple(fault for fault in faults if fault.of in up))

    return look_up


ALL = [KNOWN_BAD, *OURS]
NOTHING = {
    "a mirror of packages": index([]),
    "an index that knows of no faults": index(ALL),
}


def audited(
    where: Callable[[Sequence[Version]], Looked], *accepted: Accepted, required: bool = False
) -> Verdict:
    return audit(OURS, accepted, TODAY, required, where)


def test_it_passes_when_every_version_was_looked_up_and_nothing_is_known() -> None:
    told = "audit: 5 of 5 locked packages were looked up, 0 faults count"
    assert audited(index(ALL, BAD), required=True) == Verdict(True, (told,))


def test_a_known_fault_fails_by_its_names_and_the_way_out() -> None:
    verdict = audited(index(ALL, BAD, FAULT))
    assert not verdict.passed
    assert "rich 14.0.0" in verdict.lines[0]
    assert "CVE-2026-7" in verdict.lines[0]
    assert "14.0.1" in verdict.lines[0]


@pytest.mark.parametrize("missing", OURS, ids=str)
def test_one_that_was_not_looked_up_fails(missing: Version) -> None:
    verdict = audited(index([each for each in ALL if each != missing], BAD))
    assert not verdict.passed
    assert f"audit: {missing} was not looked up" in verdict.lines[0]


@pytest.mark.parametrize("kind", NOTHING)
def test_where_nothing_can_be_audited_it_says_so_loudly_and_fails_where_it_must_not(
    kind: str,
) -> None:
    verdict = audited(NOTHING[kind])
    assert verdict.passed
    assert len(verdict.lines) == 1
    assert verdict.lines[0].startswith("!!! NOTHING WAS AUDITED")
    required = audited(NOTHING[kind], required=True)
    assert not required.passed
    assert required.lines[0].startswith("!!! NOTHING WAS AUDITED")


def test_an_index_that_knows_ours_but_not_the_known_bad_one_fails() -> None:
    assert not audited(index(OURS)).passed


def accepted(**changes: object) -> Accepted:
    fields = {
        "id": "CVE-2026-7",
        "package": "rich",
        "reason": "nobody prints what a stranger wrote",
        "until": TODAY + timedelta(days=1),
    }
    return Accepted(**(fields | changes))  # type: ignore[arg-type]


def test_a_fault_is_accepted_by_any_of_its_names_until_its_day() -> None:
    faulty = index(ALL, BAD, FAULT)
    assert audited(faulty, accepted(), required=True).passed
    assert not audited(faulty, accepted(until=TODAY)).passed
    assert not audited(faulty, accepted(package="numpy")).passed


def test_what_is_accepted_and_reported_no_more_fails() -> None:
    verdict = audited(index(ALL, BAD), accepted())
    assert not verdict.passed
    assert "CVE-2026-7 of rich" in verdict.lines[0]


def test_an_entry_has_a_reason_and_a_day() -> None:
    with pytest.raises(ValueError, match="without a reason"):
        accepted(reason=" ")
    with pytest.raises(TypeError, match="until"):
        read_accepted('[[accepted]]\nid = "x"\npackage = "y"\nreason = "z"\n')
    assert read_accepted(ACCEPTED.read_text()) is not None


def test_pip_audit_tells_what_is_known_and_what_it_could_not_look_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {PYYAML: [GHSA], ("alembic", "1.20.1"): [], ("numpy", "2.5.5"): []}
    made = MadeIndex(known | {("rich", "14.0.0"): [REPORTED]})
    with served(made, tmp_path, monkeypatch):
        looked = look_up(ALL)
    assert sorted(made.asked) == sorted((each.name, each.version) for each in ALL)
    assert looked.up == {KNOWN_BAD, OURS[0], OURS[3], OURS[4]}
    assert set(looked.missing) == {OURS[1], OURS[2]}
    assert "not found on PyPI" in looked.missing[OURS[1]]
    assert {fault.of for fault in looked.faults} == {KNOWN_BAD, OURS[4]}
    assert set(looked.faults[-1].ids) == {"PYSEC-2026-7", "CVE-2026-7"}


def test_where_the_index_breaks_off_nothing_counts_as_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = MadeIndex({PYYAML: [GHSA]} | {(each.name, each.version): [] for each in OURS}, 2)
    with served(made, tmp_path, monkeypatch):
        looked = look_up([each for each in ALL if each != OURS[3]])
    assert len(made.asked) > 2
    assert not looked.up
    assert len(looked.missing) == 5


@pytest.mark.parametrize(("required", "status"), [("", 0), ("required", 1)])
def test_the_program_says_so_where_nobody_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, required: str, status: int
) -> None:
    ask_through("http://127.0.0.1:1", tmp_path, monkeypatch)
    ran = subprocess.run(
        [sys.executable, "-m", "infrastructure.supply.audit"],
        env=os.environ | {"MORROW_AUDIT": required},
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert ran.returncode == status
    assert ran.stderr.startswith("!!! NOTHING WAS AUDITED")


def test_what_it_does_not_understand_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MORROW_AUDIT", "require")
    assert main([]) == 2
    monkeypatch.delenv("MORROW_AUDIT")
    assert main(["--require"]) == 2
