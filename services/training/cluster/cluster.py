"""A worker's cluster: whether it is well, and the slots there."""

from typing import Self

from services.training.cluster.errors import AWAY, ClusterAway
from services.training.cluster.health import Pulse
from services.training.cluster.link import Link
from services.training.cluster.messages import Turned
from services.training.cluster.slot import ClusterSlot
from services.training.cluster.telemetry import HEALTHY


class Cluster:
    """Asks nothing of the network before it is asked."""

    def __init__(self, address: str, width: int, preload: list[str]) -> None:
        self._pulse = Pulse(address)
        self._link = Link(address, preload)
        self.slots = [ClusterSlot(self._link, number) for number in range(width)]

    async def fault(self) -> ClusterAway | None:
        """Why nothing should be begun there now, known in less than a tenth of a second."""
        refused = self._link.refusal
        if refused is None and (told := await self._pulse.fault()) is not None:
            refused = Turned(AWAY, told)
        HEALTHY.set(refused is None)
        return None if refused is None else ClusterAway(refused.code, refused.message)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._link.close()
