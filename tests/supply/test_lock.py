"""The lock is read whole, or refused by its line."""

from pathlib import Path

import pytest

from infrastructure.supply.lock import Locked, LockFault, direct_names, read_lock, runtime_part

ROOT = Path(__file__).parents[2]
ONE, TWO = "a" * 64, "b" * 64
LOCK = f"""\
alone==1.0 \\
    --hash=sha256:{ONE} \\
    --hash=sha256:{TWO}
    # via morrow (pyproject.toml)
below==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:{ONE}
    # via
    #   alone
    #   tool
tool==3.0 \\
    --hash=sha256:{TWO}
    # via morrow (pyproject.toml)
toothed==4.0 \\
    --hash=sha256:{TWO}
    # via tool
"""
PROJECT = '[project]\ndependencies = ["Alone[extra]>=1,<2"]\n'


def test_every_part_of_an_entry_is_read() -> None:
    first, second, *_ = read_lock(LOCK)
    assert first == Locked("alone", "1.0", None, (ONE, TWO), frozenset({"morrow (pyproject.toml)"}))
    assert second.marker == "python_full_version < '3.12'"
    assert second.asked_by == {"alone", "tool"}


def test_what_only_tools_ask_for_is_not_installed_with_the_product() -> None:
    assert direct_names(PROJECT) == {"alone"}
    assert [each.name for each in runtime_part(read_lock(LOCK), PROJECT)] == ["alone", "below"]


@pytest.mark.parametrize("line", ["git+https://somewhere/else", "-e .", "loose>=1", "unhashed==1"])
def test_a_line_that_is_not_known_is_refused(line: str) -> None:
    with pytest.raises(LockFault, match="line 16"):
        read_lock(f"{LOCK}{line}\n")


def test_every_package_of_our_lock_has_hashes_and_somebody_who_asks() -> None:
    for each in read_lock((ROOT / "requirements.lock").read_text()):
        assert each.hashes
        assert each.asked_by
