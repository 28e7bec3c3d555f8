"""The stages of what a child does, as spans: it says when each begins, and its worker tells. So the
child knows nothing of traces, and pays nothing for them."""

import time
from collections.abc import Callable
from typing import Any

from services.training.demand.config import Progress, TrainingStage
from services.training.queue.children import ChildSlot, Work
from shared.tracing import past, span


async def run_in_stages(
    slot: ChildSlot, work: Work, argument: Any, note: Callable[[Progress], None], seconds: float
) -> Any:
    """As `slot.run`, and tells of the child and of its stages."""
    begun: list[tuple[TrainingStage, float]] = []

    def on_progress(progress: Progress) -> None:
        if not begun or begun[-1][0] is not progress.stage:
            begun.append((progress.stage, slot.heard_at))
        note(progress)

    with span("child"):
        ended = None
        try:
            answer = await slot.run(work, argument, on_progress, seconds)
            ended = slot.heard_at
            return answer
        finally:
            _tell(begun, ended or time.monotonic())


def _tell(begun: list[tuple[TrainingStage, float]], ended: float) -> None:
    """Each ends where the next begins."""
    ends = [*(at for _, at in begun[1:]), ended]
    for (stage, began), end in zip(begun, ends, strict=False):
        past(f"stage {stage.value}", began, end)
