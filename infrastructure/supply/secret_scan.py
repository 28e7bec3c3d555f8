"""Whether a file that git tracks holds a secret: part of `make lint`.

What a secret looks like is detect-secrets' knowledge, and the shape of our own keys. Its own scan
takes some 12 s, skips files by their names, and what is not UTF-8 in silence; this reads them all.
"""

import hashlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from detect_secrets.core.plugins.util import Plugin
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.keyword import DENYLIST, KeywordDetector
from detect_secrets.settings import default_settings, get_plugins

KNOWN = "infrastructure/supply/known_strings.toml"
NO_SECRETS = {"Public IP (ipv4)"}
ONLY_OUTSIDE_TESTS = {"Secret Keyword", "Basic Auth Credentials"}  # tests are full of made-up ones
KEYWORDS = re.compile("|".join(DENYLIST), re.IGNORECASE)


class MorrowKeyDetector(RegexBasedDetector):
    """The keys that `shared/auth.py` makes."""

    secret_type = "Morrow API key"  # noqa: S105 - what it is called
    denylist = (re.compile(r"\bmrw_[0-9a-f]{12}_[\w-]{43}"),)


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A string that looks like a secret of this kind. The string itself is told nowhere."""

    path: str
    line: int
    kind: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Known:
    """A string that looks like a secret and is none, or guards nothing."""

    path: str
    kind: str
    sha256: str
    reason: str

    def fits(self, found: Found) -> bool:
        return (self.path, self.kind, self.sha256) == (found.path, found.kind, found.sha256)


def scan(root: Path) -> list[Found]:
    """What looks like a secret in the files of `root` that git tracks, staged ones too."""
    with default_settings():
        plugins = [each for each in get_plugins() if each.secret_type not in NO_SECRETS]
    plugins.append(MorrowKeyDetector())
    return sorted({found for path in _tracked(root) for found in _in_file(root, path, plugins)})


def _tracked(root: Path) -> Iterator[str]:
    names = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - the developer's own git
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
    ).stdout.split("\0")
    return (name for name in names if name and (root / name).is_file())


def _in_file(root: Path, path: str, plugins: Iterable[Plugin]) -> Iterator[Found]:
    text = (root / path).read_bytes().replace(b"\0", b"").decode("utf-8", "replace")  # UTF-16 too
    for plugin in plugins:
        kind = plugin.secret_type
        if path.startswith("tests/") and kind in ONLY_OUTSIDE_TESTS:
            continue
        strings = (
            _of_expressions(plugin, text)
            if isinstance(plugin, RegexBasedDetector)
            else _of_lines(plugin, path, text)
        )
        for line, string in strings:
            yield Found(path, line, kind, hashlib.sha256(string.encode()).hexdigest())


def _of_expressions(plugin: RegexBasedDetector, text: str) -> Iterator[tuple[int, str]]:
    """Over the whole text at once, which is some hundred times as fast as line by line."""
    for expression in plugin.denylist:
        for match in expression.finditer(text):
            string = "".join(filter(None, match.groups())) or match[0]
            yield text.count("\n", 0, match.start()) + 1, string


def _of_lines(plugin: Plugin, path: str, text: str) -> Iterator[tuple[int, str]]:
    if path == KNOWN:  # digests, which look random
        return
    for number, line in enumerate(text.split("\n"), 1):
        if isinstance(plugin, KeywordDetector) and not KEYWORDS.search(line):
            continue
        for each in plugin.analyze_line(filename=path, line=line, line_number=number):
            yield number, each.secret_value or ""


def read_known(text: str) -> list[Known]:
    """The entries of `[[known]]`, each with its reason."""
    entries = [Known(**entry) for entry in tomllib.loads(text).get("known", [])]
    for entry in entries:
        if not entry.reason.strip():
            raise ValueError(f"a {entry.kind} in {entry.path} is known without a reason")
    return entries


def complaints(found: Iterable[Found], known: Iterable[Known]) -> list[str]:
    """A line for each string that nobody knows, and for each known one that is gone."""
    strings, entries = list(found), list(known)
    unknown = [each for each in strings if not any(entry.fits(each) for entry in entries)]
    gone = [entry for entry in entries if not any(entry.fits(each) for each in strings)]
    return [
        *(
            f"{each.path}:{each.line}: looks like a secret ({each.kind}, sha256 {each.sha256}): "
            f"take it out and revoke it; if it is none, say why in {KNOWN}"
            for each in unknown
        ),
        *(f"{KNOWN}: the {entry.kind} in {entry.path} is gone: drop it" for entry in gone),
    ]


def main(root: Path) -> int:
    lines = complaints(scan(root), read_known((root / KNOWN).read_text()))
    print(*lines, sep="\n", file=sys.stderr, end="\n" if lines else "")
    return 1 if lines else 0


if __name__ == "__main__":
    raise SystemExit(main(Path.cwd()))
