"""How often, and how long, a request or a job waited for databases and for Redis."""

import heapq
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

# Statements that a slow request shows, and how much of each.
MAX_SLOWEST: Final = 5
MAX_STATEMENT_CHARS: Final = 300


@dataclass(slots=True)
class Calls:
    """Counts and seconds by what was called: database, clickhouse, redis.

    `slowest` has the longest statements, without what was bound to them. Threads that
    a request starts count with it; that may lose one of two that end at once.
    """

    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    # The principal, as far as it is known: a prefix of a key or the number of a user.
    principal: str = "nobody known"

    def add(self, kind: str, seconds: float, statement: str = "") -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.seconds[kind] = self.seconds.get(kind, 0.0) + seconds
        if not statement:
            return
        if len(self.slowest) < MAX_SLOWEST:
            heapq.heappush(self.slowest, (seconds, statement))
        elif seconds > self.slowest[0][0]:
            heapq.heapreplace(self.slowest, (seconds, statement))

    def fields(self) -> dict[str, int | float]:
        """Give counts and milliseconds as fields of a log line."""
        found: dict[str, int | float] = {}
        for kind, count in self.counts.items():
            found[f"{kind}_calls"] = count
            found[f"{kind}_ms"] = round(1_000 * self.seconds[kind], 1)
        return found

    def statements(self) -> list[str]:
        """Give the slowest statements, the longest first."""
        return [
            f"{1_000 * seconds:.1f} ms: {' '.join(text.split())[:MAX_STATEMENT_CHARS]}"
            for seconds, text in sorted(self.slowest, reverse=True)
        ]


current_calls: ContextVar[Calls | None] = ContextVar("calls", default=None)


@contextmanager
def counting(calls: Calls) -> Generator[Calls]:
    """Count what is called inside the block, and in threads it starts."""
    token = current_calls.set(calls)
    try:
        yield calls
    finally:
        current_calls.reset(token)


def note_call(kind: str, seconds: float, statement: str = "") -> None:
    calls = current_calls.get()
    if calls is not None:
        calls.add(kind, seconds, statement)
