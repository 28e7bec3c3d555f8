"""A probe as a kubelet takes it: asked again and again, it says otherwise after so many answers."""

import asyncio
import contextlib
from dataclasses import dataclass

from infrastructure.kubernetes.checks.node import Node

AGENT = "kube-probe/1.32"


@dataclass(frozen=True, slots=True)
class Probe:
    """Seconds are the manifest's; what it does not say is as Kubernetes has it."""

    path: str
    port: str
    delay: float
    period: float
    timeout: float
    failures: int
    successes: int

    @classmethod
    def of(cls, node: Node) -> "Probe | None":
        if not node:
            return None
        return cls(
            path=node.at("httpGet", "path").text(),
            port=node.at("httpGet", "port").text(),
            delay=node["initialDelaySeconds"].number(0),
            period=node["periodSeconds"].number(10),
            timeout=node["timeoutSeconds"].number(1),
            failures=int(node["failureThreshold"].number(3)),
            successes=int(node["successThreshold"].number(1)),
        )


@dataclass(slots=True)
class Verdict:
    """Of answers in a row; None until there were enough of either."""

    probe: Probe
    passes: bool | None = None
    _last: bool | None = None
    _in_a_row: int = 0

    def hear(self, well: bool) -> None:
        self._in_a_row = self._in_a_row + 1 if well is self._last else 1
        self._last = well
        if self._in_a_row >= (self.probe.successes if well else self.probe.failures):
            self.passes = well


async def ask(probe: Probe, port: int) -> bool:
    """As a kubelet does: on a connection of its own, at the pod's address and not at its name."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
        async with asyncio.timeout(probe.timeout):
            return 200 <= await _status(probe.path, port) < 400
    return False


async def _status(path: str, port: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: {AGENT}\r\n"
        writer.write(f"{head}Accept: */*\r\nConnection: close\r\n\r\n".encode())
        line = await reader.readuntil(b"\r\n")
        return int(line.split()[1])
    finally:
        writer.transport.abort()
