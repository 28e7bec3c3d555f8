"""A started `morrow up` as a test sees it: its lines, its programs, its processes."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.postgres.orphans import processes_in
from tests.process_life import PATIENCE_SECONDS


@dataclass
class Up:
    """A started `morrow up` and what can be seen of it."""

    process: subprocess.Popen[str]
    data_dir: Path
    errors: Path

    def lines(self) -> list[str]:
        """Standard output up to the line that says ready, or to its end."""
        assert self.process.stdout is not None
        lines: list[str] = []
        while line := self.process.stdout.readline():
            lines.append(line.rstrip("\n"))
            if line.startswith("ready "):
                break
        return lines

    def report(self, name: str) -> dict[str, Any]:
        """What a stand-in last said about itself."""
        path = self.data_dir.with_name("reports") / f"{name}.json"
        report: dict[str, Any] = eventually(lambda: json.loads(path.read_text()), path.exists)
        return report

    def another(self, name: str, than: int) -> dict[str, Any]:
        """What it says once it runs as another process."""
        eventually(lambda: None, lambda: self.report(name)["pid"] != than)
        return self.report(name)

    def postgres(self) -> tuple[int, ...]:
        return processes_in(self.data_dir / "postgres" / "cluster")

    def family(self) -> list[int]:
        """All that it runs, directly or not."""
        worker = self.report("worker")
        return [*self.postgres(), self.report("serve")["pid"], worker["pid"], worker["grandchild"]]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


def eventually(answer: Callable[[], Any], condition: Callable[[], bool]) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
    return answer()
