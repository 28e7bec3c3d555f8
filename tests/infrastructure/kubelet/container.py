"""One process of a pod, from its start to its end."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shared.processes.mortal import start_mortal

LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Container:
    process: "subprocess.Popen[bytes]"

    @classmethod
    def start(
        cls, command: Sequence[str], environment: Mapping[str, str], log: Path, cwd: Path
    ) -> "Container":
        """In a session of its own; it does not outlive this process."""
        with log.open("ab") as output:
            return cls(
                start_mortal(
                    command,
                    death_signal=signal.SIGKILL,
                    env=environment,
                    stdout=output,
                    stderr=output,
                    cwd=cwd,
                )
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def status(self) -> int | None:
        return self.process.poll()

    def send(self, number: signal.Signals) -> None:
        if self.status is None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """With all that it started, as the end of a container is."""
        if self.status is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()

    async def ended(self) -> int:
        while (status := self.status) is None:
            await asyncio.sleep(LOOK_SECONDS)
        return status

    async def ends_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.ended()
        return self.status is not None
