"""A secret that git tracks is found, whatever its file is called, and never repeated."""

import subprocess
from pathlib import Path

import pytest

from infrastructure.supply.secret_scan import KNOWN, main, read_known, scan
from shared.auth import make_key

ROOT = Path(__file__).parents[2]
OURS = make_key().secret
PLANTED = {
    "AWS Access Key": "AKIA" + "QYLPMN5HHHFPZAM2",
    "Private Key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "Morrow API key": OURS,
    "Slack Token": "xoxb-" + "263594206564-2343594206574-FGqddMF8t08v8N7Oq4i57vs1",
    "JSON Web Token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9"
    + ".eyJpc3MiOiJqb2UifQ"
    + ".c2lnbmF0dXJl",
    "Secret Keyword": 'password = "' + 'wie-geht-es-dir"',
    "Basic Auth Credentials": "postgresql://api:" + "hushhush@db/morrow",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    known = tmp_path / KNOWN
    known.parent.mkdir(parents=True)
    known.write_text("")
    return tmp_path


def git(where: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=where, check=True)


def plant(repository: Path, name: str, content: bytes) -> None:
    path = repository / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    git(repository, "add", name)


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("name", ["deploy.py", "some.lock", "a picture.png", "swagger/x.yaml"])
def test_what_is_planted_is_found_and_not_repeated(
    kind: str, name: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = b"\n\xff\xfe not UTF-8 \n" + f"    {PLANTED[kind]}\n".encode()
    plant(repository, name, content)
    assert main(repository) == 1
    told = capsys.readouterr().err
    assert f"{name}:3: looks like a secret ({kind}, sha256 " in told
    assert PLANTED[kind] not in told


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig", "latin-1"])
def test_no_encoding_hides_it(encoding: str, repository: Path) -> None:
    plant(repository, "deploy.ps1", f'$key = "{OURS}"  # für\n'.encode(encoding))
    assert "Morrow API key" in {found.kind for found in scan(repository)}


def test_a_comment_excuses_nothing(repository: Path) -> None:
    plant(repository, "deploy.py", f"key = '{OURS}'  # pragma: allowlist secret\n".encode())
    assert "Morrow API key" in {found.kind for found in scan(repository)}


def test_what_git_does_not_track_is_left_alone(repository: Path) -> None:
    (repository / "notes.txt").write_text(OURS)
    assert scan(repository) == []


def test_tests_may_make_passwords_up_but_hold_no_key(repository: Path) -> None:
    plant(repository, "tests/test_x.py", f"{PLANTED['Secret Keyword']}\n{OURS}\n".encode())
    assert [found.kind for found in scan(repository)] == ["Morrow API key"]


def test_a_string_is_known_in_its_file_alone_and_only_while_it_is_there(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(repository, "a.txt", OURS.encode())
    (found,) = scan(repository)
    entry = (
        f'[[known]]\npath = "a.txt"\nkind = "{found.kind}"\nsha256 = "{found.sha256}"\n'
        'reason = "revoked before it was written here"\n'
    )
    plant(repository, KNOWN, entry.encode())
    assert main(repository) == 0
    plant(repository, "b.txt", OURS.encode())
    assert main(repository) == 1
    (repository / "b.txt").write_text("")
    plant(repository, "a.txt", b"")
    assert main(repository) == 1
    assert "in a.txt is gone: drop it" in capsys.readouterr().err


def test_every_known_string_has_a_reason() -> None:
    assert len(read_known((ROOT / KNOWN).read_text())) < 20
    with pytest.raises(ValueError, match="without a reason"):
        read_known('[[known]]\npath = "a"\nkind = "b"\nsha256 = "c"\nreason = ""\n')
