"""What an installation weighs is told whole; what is left out of it is told too."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from infrastructure.docker.parts import BASE, MOUNTS, UNNAMED, main, mount_points, parts, report
from infrastructure.docker.trim import trim

ROOT = Path(__file__).parents[2]
SITE = Path("lib/python3.11/site-packages")


def install(prefix: Path, name: str, files: dict[str, int]) -> None:
    """A package as pip would leave it: files of so many bytes, and the RECORD that names them."""
    record = f"{name}-1.0.dist-info/RECORD"
    for file, size in files.items():
        path = prefix / SITE / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    metadata = f"{name}-1.0.dist-info/METADATA"
    path = prefix / SITE / metadata
    path.parent.mkdir(parents=True)
    path.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (prefix / SITE / record).write_text("".join(f"{n},,\n" for n in [*files, metadata, record]))


def length(path: Path) -> int:
    return path.lstat().st_size


def dist_info(prefix: Path, name: str) -> int:
    return sum(map(length, (prefix / SITE / f"{name}-1.0.dist-info").iterdir()))


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    prefix = tmp_path / "root" / "opt" / "made"
    install(prefix, "Heavy", {"heavy/__init__.py": 5000, "../../../bin/heavy": 70})
    install(prefix, "light", {"light.py": 300, "light/tests/test_it.py": 40, "tests/test.py": 2})
    return prefix


def test_each_file_is_its_packages_and_none_is_left_out(prefix: Path) -> None:
    compiled = prefix / SITE / "heavy/__pycache__/__init__.cpython-311.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"x" * 1000)
    (prefix / "stray").write_bytes(b"x" * 11)
    weighed = parts(prefix)
    assert weighed["heavy"] == 5000 + 70 + 1000 + dist_info(prefix, "Heavy")
    assert weighed["light"] == 300 + 40 + 2 + dist_info(prefix, "light")
    assert weighed[UNNAMED] == 11
    assert weighed.total() == sum(map(length, filter(Path.is_file, prefix.rglob("*"))))


def test_what_is_one_file_under_two_names_weighs_once(prefix: Path) -> None:
    before = parts(prefix).total()
    os.link(prefix / SITE / "light.py", prefix / "again")
    assert parts(prefix).total() == before


def test_a_link_weighs_what_it_is_and_is_not_followed(prefix: Path) -> None:
    before = parts(prefix).total()
    (prefix / "link").symlink_to(prefix / SITE)
    assert parts(prefix).total() == before + len(str(prefix / SITE))


def test_what_is_beside_it_is_the_base(prefix: Path) -> None:
    root = prefix.parents[1]
    (root / "etc").mkdir()
    (root / "etc/passwd").write_bytes(b"x" * 123)
    assert parts(prefix, root)[BASE] == 123
    assert parts(prefix, root).total() == parts(prefix).total() + 123


AS_NOBODY = """
import os, sys
from infrastructure.docker.parts import main
assert main(sys.argv[1:]) == 0  # whoever may read all; what is needed is imported by now
if os.getuid() == 0:
    os.setuid(65534)
else:
    os.chmod(os.path.join(sys.argv[1], 'closed'), 0)
main(sys.argv[1:])
"""


def test_a_folder_that_cannot_be_read_is_no_empty_one() -> None:
    """Whoever weighs without the right to look would find too little."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        closed = Path(folder) / "closed"
        closed.mkdir(mode=0o700)
        (closed / "file").write_bytes(b"x")
        asked = [sys.executable, "-c", AS_NOBODY, folder]
        weighed = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=ROOT)
    assert weighed.returncode != 0
    assert "PermissionError" in weighed.stderr
    assert "closed" in weighed.stderr


def test_a_mount_is_known_whatever_it_is_called_and_wherever_it_comes_from() -> None:
    told = "1 2 0:3 / / rw - ext4 a rw\n4 1 0:3 /x /mnt/a\\040b rw - ext4 a rw\n"
    assert mount_points(told) == {Path("/"), Path("/mnt/a b")}
    assert {path for path in mount_points(MOUNTS.read_text()) if os.path.ismount(path)}


def test_more_than_may_be_fails_and_says_by_how_much(
    prefix: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(prefix), "--most", "1"]) == 0
    assert main([str(prefix), "--most", "0.005"]) == 1
    assert "0.005 at most" in capsys.readouterr().err


def test_programs_read_the_same_as_people(prefix: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(prefix), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == dict(parts(prefix))
    heaviest, *_, last = report(parts(prefix)).splitlines()
    assert heaviest.split()[1] == "heavy"
    assert last.endswith("MB in all")


def test_tests_of_packages_go_and_their_records_stay_true(prefix: Path) -> None:
    install(prefix, "whole", {"whole/testing/__init__.py": 9, "whole/latest/tests.py": 8})
    assert trim(prefix) == {"light": 40}
    site = prefix / SITE
    assert not (site / "light/tests").exists()
    assert (site / "tests/test.py").exists()  # a package of that name, not the tests of one
    assert (site / "whole/latest/tests.py").exists()
    for record in site.glob("*.dist-info/RECORD"):
        assert all((site / line.split(",")[0]).exists() for line in record.read_text().splitlines())
    assert parts(prefix)[UNNAMED] == 0
    assert trim(prefix) == {}
