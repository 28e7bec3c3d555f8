"""How long each step took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stopwatch:
    """Steps and their seconds, in order, each told to `say` when it begins."""

    say: Callable[[str], None]
    clock: Callable[[], float] = time.perf_counter
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done inside; a step that fails counts as well."""
        self.say(f"{name} …")
        began = self.clock()
        try:
            yield
        finally:
            self.seconds[name] = self.clock() - began
