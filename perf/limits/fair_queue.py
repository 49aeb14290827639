"""A queue of requests that is fair between callers and knows what it can serve in time.

Callers take turns, so that a caller with many requests waits behind its own. A request
may wait for half its time limit. One that would have to wait for longer is refused at
once, and there is more work than capacity then: until the queue has been empty, nobody
waits for more than about one turn, so that answers come while clients still wait for
them. The rule of a short target for a queue that stands is that of CoDel (RFC 8289).
"""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# Of its time limit a request may wait for this share; the rest is for the work.
WAITING_SHARE: Final = 0.5
# How long a request may wait while there is more work than capacity, at least.
TARGET_S: Final = 0.05
# Of the places in the queue, how many one caller may have.
CALLER_SHARE: Final = 0.5
# What one request adds to the mean time of the work.
WEIGHT: Final = 0.1
# In the place of a caller: the requests of all together are more than can be done.
EVERYBODY: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedRequest:
    """`run` and `refuse` both answer a request; one of them is called.

    A client may give its request less time than is usual for its route.
    """

    caller: str
    arrived_s: float
    time_limit_s: float
    usual_limit_s: float
    run: Callable[[], None]
    refuse: Callable[[], None]


class FairQueue:
    """Requests that wait for `max_inside` threads; not safe between threads."""

    def __init__(
        self,
        *,
        max_inside: int,
        max_waiting: int,
        max_per_caller: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_inside = max_inside
        self._max_waiting = max_waiting
        self._max_per_caller = max_per_caller
        self._clock = clock
        # The caller whose turn is next stands first.
        self._waiting: dict[str, deque[QueuedRequest]] = {}
        self._inside: Counter[str] = Counter()
        self._overloaded: set[str] = set()
        self._work_s = 0.0

    @property
    def n_waiting(self) -> int:
        return sum(map(len, self._waiting.values()))

    @property
    def n_inside(self) -> int:
        return self._inside.total()

    def offer(self, request: QueuedRequest) -> bool:
        """Let a request wait, if only for a moment; False where it is refused."""
        caller = request.caller
        for whose in (EVERYBODY, caller):
            expected_s = self._expected_s(whose)
            is_full = not self._has_place(whose)
            # Not by what a client says: a hurried one would end the waiting of all.
            if is_full or expected_s > WAITING_SHARE * request.usual_limit_s:
                self._overloaded.add(whose)
            if is_full or expected_s > WAITING_SHARE * request.time_limit_s:
                return False
        self._waiting.setdefault(caller, deque()).append(request)
        return True

    def take(self) -> QueuedRequest | None:
        """Give the next request whose caller may have another thread."""
        may_have = (
            caller
            for caller in self._waiting
            if self._inside[caller] < self._max_per_caller
        )
        caller = next(may_have, None)
        if caller is None:
            return None
        requests = self._waiting.pop(caller)
        request = requests.popleft()
        if requests:
            self._waiting[caller] = requests
        self._inside[caller] += 1
        return request

    def is_late(self, request: QueuedRequest) -> bool:
        """Return whether a request has waited for too long to be worth the work."""
        waited_s = self._clock() - request.arrived_s
        if self._overloaded & {request.caller, EVERYBODY}:
            return waited_s > max(TARGET_S, self._work_s)
        if waited_s > WAITING_SHARE * request.usual_limit_s:
            self._overloaded.add(request.caller)
        return waited_s > WAITING_SHARE * request.time_limit_s

    def end(self, request: QueuedRequest, *, work_s: float | None) -> None:
        """Give a thread back; `work_s` is how long the work took, if it was done."""
        caller = request.caller
        self._inside[caller] -= 1
        if not self._inside[caller]:
            del self._inside[caller]
        if work_s is not None:
            self._work_s += WEIGHT * (work_s - self._work_s)
        if caller not in self._waiting:
            self._overloaded.discard(caller)
        if not self._waiting:
            self._overloaded.clear()

    def _has_place(self, caller: str) -> bool:
        if caller == EVERYBODY:
            count = self.n_inside + self.n_waiting
            return count < self._max_inside + self._max_waiting
        count = self._inside[caller] + len(self._waiting.get(caller, ()))
        return count < self._max_per_caller + int(CALLER_SHARE * self._max_waiting)

    def _expected_s(self, caller: str) -> float:
        """Estimate how long another request of a caller would wait for its turn."""
        n_own = len(self._waiting.get(caller, ()))
        n_before = n_own + sum(
            min(len(requests), n_own + 1)
            for other, requests in self._waiting.items()
            if other != caller
        )
        return self._work_s * max(
            (n_before + self.n_inside - self._max_inside + 1) / self._max_inside,
            (n_own + self._inside[caller] - self._max_per_caller + 1)
            / self._max_per_caller,
        )
