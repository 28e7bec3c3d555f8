"""A Dockerfile, read: its stages, and the instructions of each."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Instruction:
    word: str
    rest: str

    def listed(self) -> list[str]:
        """The words of an exec form; the shell form is refused."""
        words = json.loads(
            self.rest.partition("CMD ")[2] if self.word == "HEALTHCHECK" else self.rest
        )
        assert isinstance(words, list)
        return [str(word) for word in words]


@dataclass(frozen=True, slots=True)
class Stage:
    base: str
    name: str | None
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, word: str) -> list[str]:
        return [each.rest for each in self.instructions if each.word == word]

    def last(self, word: str) -> Instruction:
        return [each for each in self.instructions if each.word == word][-1]

    def pairs(self, word: str) -> dict[str, str]:
        """NAME=value of every ENV or LABEL."""
        told = [part.partition("=") for rest in self.all(word) for part in shlex.split(rest)]
        return {name: value for name, _, value in told}

    def copied(self) -> list[str]:
        """What comes from the folder that is sent to the builder."""
        return [
            source
            for rest in self.all("COPY")
            if not rest.startswith("--from")
            for source in rest.split()[:-1]
        ]


@dataclass(frozen=True, slots=True)
class Dockerfile:
    arguments: list[str]
    stages: list[Stage]

    @classmethod
    def read(cls, path: Path) -> "Dockerfile":
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        found = cls([], [])
        for line in re.sub(r"\s*\\\n\s*", " ", "\n".join(lines)).splitlines():
            word, _, rest = line.partition(" ")
            if word == "FROM":
                base, _, name = rest.partition(" AS ")
                found.stages.append(Stage(base, name or None))
            elif word and found.stages:
                found.stages[-1].instructions.append(Instruction(word, rest.strip()))
            elif word:
                found.arguments.append(rest)
        return found
