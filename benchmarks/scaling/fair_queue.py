"""The queue's rules as `migrations/sql/0001_queue.sql` has them, without a database.

Start-time fair queueing within a class, classes in their order, a cap on what a tenant runs, and
every fifth claim for a class that has waited longer than it bears. `tests/benchmarks/scaling` holds
the order of its claims against that of the SQL.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

PATIENCE: Final = (600.0, 3600.0)
"""Seconds that a task of the classes 1 and 2 waits behind those before its own."""
TURNS: Final = 5


@dataclass(slots=True, eq=False)
class Task:
    """Of one tenant, by number; `tag` is its start tag, given when it enters."""

    id: int
    tenant: int
    kind: str
    priority: int
    cost: float
    created: float
    tag: float = 0.0


@dataclass(slots=True)
class _Line:
    """What is queued of one kind and class: a heap a tenant, and the tenants by their first."""

    heaps: dict[int, list[tuple[float, int, Task]]] = field(default_factory=dict)
    heads: list[tuple[float, int, int]] = field(default_factory=list)
    created: list[tuple[float, int]] = field(default_factory=list)
    tags: list[tuple[float, int]] = field(default_factory=list)
    size: int = 0


class FairQueue:
    """Tasks that may be claimed, and those that run. `most_running`: of one tenant, of the kinds of
    one claim."""

    def __init__(self, most_running: int | None = None, weights: dict[int, float] | None = None):
        self._most = most_running
        self._weights = weights or {}
        self._lines: dict[tuple[str, int], _Line] = defaultdict(_Line)
        self._running: dict[tuple[str, int], list[tuple[float, int]]] = defaultdict(list)
        self._runs: set[int] = set()
        self._queued: set[int] = set()
        self._of_tenant: dict[tuple[str, int], int] = defaultdict(int)
        self._finish: dict[tuple[int, int], float] = {}
        self._last: dict[int, float] = defaultdict(float)
        self._turn = 0

    def __len__(self) -> int:
        return len(self._queued)

    def put(self, tasks: Sequence[Task]) -> None:
        """Enter tasks of one tenant and class together: each after the cost of those before."""
        if not tasks:
            return
        first = tasks[0]
        weight = self._weights.get(first.tenant, 1.0)
        tag = self._reserve(first.tenant, first.priority, sum(each.cost for each in tasks) / weight)
        for each in tasks:
            each.tag = tag
            tag += each.cost / weight
            self._enter(each)

    def put_back(self, task: Task) -> None:
        """One that was claimed and lost: it keeps its place."""
        self.ended(task)
        self._enter(task)

    def claim(self, kinds: Sequence[str], now: float) -> Task | None:
        """The next task of these kinds, which runs from now on."""
        overdue = self._overdue(kinds, now)
        if overdue:
            self._turn += 1
            if self._turn % TURNS == 0:
                chosen = overdue[(self._turn // TURNS) % len(overdue)]
                if (task := self._take(kinds, [chosen])) is not None:
                    return task
        return self._take(kinds, self._classes())

    def ended(self, task: Task) -> None:
        self._runs.discard(task.id)
        self._of_tenant[task.kind, task.tenant] -= 1
        if self._most is None:
            return
        for kind, priority in list(self._lines):
            if kind in (task.kind, *LANES.get(task.kind, ())):
                self._show(self._lines[kind, priority], task.tenant)

    def oldest(self, now: float, kinds: Sequence[str]) -> float:
        """How long the oldest queued task of these kinds has waited."""
        found = [self._created(line) for (kind, _), line in self._lines.items() if kind in kinds]
        return max((now - at for at in found if at is not None), default=0.0)

    def depth(self, kinds: Sequence[str]) -> int:
        return sum(line.size for (kind, _), line in self._lines.items() if kind in kinds)

    def _reserve(self, tenant: int, priority: int, share: float) -> float:
        """`queue_reserve`: start = max(V, the tenant's last finish)."""
        now = self._virtual_time(priority)
        finish = max(self._finish.get((tenant, priority), float("-inf")) + share, now + share)
        self._finish[tenant, priority] = finish
        self._last[priority] = max(self._last[priority], finish)
        return finish - share

    def _virtual_time(self, priority: int) -> float:
        """The start tag in service of the kind that is least far: of its running tasks the largest,
        else of its queued ones the smallest; where the class is idle the largest finish tag."""
        tags = []
        for kind in {kind for kind, of in [*self._lines, *self._running] if of == priority}:
            tag = self._largest_running(kind, priority)
            if tag is None:
                tag = self._smallest_queued(kind, priority)
            if tag is not None:
                tags.append(tag)
        return min(tags) if tags else self._last[priority]

    def _largest_running(self, kind: str, priority: int) -> float | None:
        heap = self._running[kind, priority]
        while heap and heap[0][1] not in self._runs:
            heapq.heappop(heap)
        return -heap[0][0] if heap else None

    def _smallest_queued(self, kind: str, priority: int) -> float | None:
        return self._least(self._lines[kind, priority].tags)

    def _enter(self, task: Task) -> None:
        line = self._lines[task.kind, task.priority]
        heapq.heappush(line.heaps.setdefault(task.tenant, []), (task.tag, task.id, task))
        heapq.heappush(line.created, (task.created, task.id))
        heapq.heappush(line.tags, (task.tag, task.id))
        line.size += 1
        self._queued.add(task.id)
        self._show(line, task.tenant)

    def _show(self, line: _Line, tenant: int) -> None:
        """Put the tenant's first task where claims look; what stands there twice does no harm."""
        heap = line.heaps.get(tenant)
        if heap:
            heapq.heappush(line.heads, (heap[0][0], heap[0][1], tenant))

    def _take(self, kinds: Sequence[str], classes: Sequence[int]) -> Task | None:
        for priority in classes:
            found = [
                (head, kind)
                for kind in kinds
                if (kind, priority) in self._lines
                and (head := self._head(self._lines[kind, priority], kinds)) is not None
            ]
            if found:
                (_, _, tenant), kind = min(found)
                return self._start(self._lines[kind, priority], tenant)
        return None

    def _head(self, line: _Line, kinds: Sequence[str]) -> tuple[float, int, int] | None:
        """The first task that may run; those of tenants at their cap are shown again when one of
        theirs has ended."""
        while line.heads:
            tag, number, tenant = line.heads[0]
            heap = line.heaps.get(tenant)
            stale = not heap or heap[0][1] != number
            if stale or not self._has_room(tenant, kinds):
                heapq.heappop(line.heads)
                continue
            return tag, number, tenant
        return None

    def _has_room(self, tenant: int, kinds: Sequence[str]) -> bool:
        if self._most is None:
            return True
        return sum(self._of_tenant[kind, tenant] for kind in kinds) < self._most

    def _start(self, line: _Line, tenant: int) -> Task:
        _, _, task = heapq.heappop(line.heaps[tenant])
        if not line.heaps[tenant]:
            del line.heaps[tenant]
        line.size -= 1
        self._queued.discard(task.id)
        self._runs.add(task.id)
        heapq.heappush(self._running[task.kind, task.priority], (-task.tag, task.id))
        self._of_tenant[task.kind, tenant] += 1
        self._show(line, tenant)
        return task

    def _overdue(self, kinds: Sequence[str], now: float) -> list[int]:
        """Classes of which a task has waited too long, while one before them is queued."""
        if not any(priority for _, priority in self._lines):
            return []
        queued = {
            priority
            for (kind, priority), line in self._lines.items()
            if kind in kinds and line.size
        }
        return [
            priority
            for priority in sorted(queued)
            if 1 <= priority <= len(PATIENCE)
            and min(queued) < priority
            and any(at < now - PATIENCE[priority - 1] for at in self._firsts(kinds, priority))
        ]

    def _firsts(self, kinds: Sequence[str], priority: int) -> Iterator[float]:
        for kind in kinds:
            if (at := self._created(self._lines[kind, priority])) is not None:
                yield at

    def _created(self, line: _Line) -> float | None:
        return self._least(line.created)

    def _least(self, heap: list[tuple[float, int]]) -> float | None:
        """The least of those that are still queued."""
        while heap and heap[0][1] not in self._queued:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def _classes(self) -> list[int]:
        return sorted({priority for _, priority in self._lines})


LANES: Final = {"train": ("pool",), "pool": ("train",)}
"""Kinds that share a cap."""
