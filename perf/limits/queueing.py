"""A gate with a short queue: so many at work, so many waiting, and not for long.

How long is decided as in CoDel: a queue that was empty a moment ago holds a burst, and
waiting for the whole interval is fair; a queue that has stood for an interval is more
work than there is capacity, and a request that has waited for longer than the target is
refused, so that the others are served before their clients give up.
"""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock

TARGET_S = 0.05
INTERVAL_S = 0.5
# A caller without a name.
ANYBODY = ""


class QueueDelay:
    """Says how long a request may have waited."""

    def __init__(
        self, *, target_s: float = TARGET_S, interval_s: float = INTERVAL_S
    ) -> None:
        self._target_s = target_s
        self.interval_s = interval_s
        self._empty_at_s = float("-inf")

    def note_empty(self, now_s: float) -> None:
        self._empty_at_s = now_s

    def allowed_s(self, now_s: float) -> float:
        has_stood = now_s - self._empty_at_s > self.interval_s
        return self._target_s if has_stood else self.interval_s


@dataclass(slots=True, eq=False)
class _Waiter:
    since_s: float
    caller: str
    is_decided: Event = field(default_factory=Event)
    is_admitted: bool = False

    def decide(self, *, is_admitted: bool) -> None:
        self.is_admitted = is_admitted
        self.is_decided.set()


class Gate:
    """Lets `max_inside` in at once and `max_waiting` wait for them.

    With `max_per_caller` one caller has no more than that inside, and never the whole
    queue: other callers find a slot.
    """

    def __init__(
        self,
        *,
        max_inside: int,
        max_waiting: int,
        max_per_caller: int | None = None,
        delay: QueueDelay | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_inside = max_inside
        self._max_waiting = max_waiting
        self._max_per_caller = max_per_caller or max_inside
        self._max_waiting_per_caller = max(1, max_waiting - 1)
        self._delay = delay or QueueDelay()
        self._clock = clock
        self._inside = 0
        self._inside_of: Counter[str] = Counter()
        self._waiting: deque[_Waiter] = deque()
        self._lock = Lock()

    @property
    def n_inside(self) -> int:
        return self._inside

    @property
    def n_waiting(self) -> int:
        return len(self._waiting)

    def enter_at_once(self, caller: str = ANYBODY) -> bool:
        """Come in unless all slots are taken or others wait for one."""
        with self._lock:
            if self._waiting or not self._has_slot_for(caller):
                return False
            self._take_slot(caller)
            return True

    def enter(self, caller: str = ANYBODY) -> bool:
        """Come in, after some waiting if need be; False is a refusal."""
        waiter = self._line_up(caller)
        if waiter is None:
            return False
        if not waiter.is_decided.wait(self._delay.interval_s):
            self._give_up(waiter)
        return waiter.is_admitted

    def leave(self, caller: str = ANYBODY) -> None:
        """Hand the slot to the first waiter that has not waited too long."""
        with self._lock:
            self._inside -= 1
            self._inside_of[caller] -= 1
            if not self._inside_of[caller]:
                del self._inside_of[caller]
            now_s = self._clock()
            for waiter in list(self._waiting):
                is_in_time = now_s - waiter.since_s <= self._delay.allowed_s(now_s)
                if is_in_time and not self._has_slot_for(waiter.caller):
                    continue
                self._waiting.remove(waiter)
                if is_in_time:
                    self._take_slot(waiter.caller)
                waiter.decide(is_admitted=is_in_time)

    def _has_slot_for(self, caller: str) -> bool:
        return (
            self._inside < self._max_inside
            and self._inside_of[caller] < self._max_per_caller
        )

    def _take_slot(self, caller: str) -> None:
        self._inside += 1
        self._inside_of[caller] += 1

    def _line_up(self, caller: str) -> _Waiter | None:
        with self._lock:
            waiter = _Waiter(self._clock(), caller)
            if not self._waiting:
                self._delay.note_empty(waiter.since_s)
            if not self._is_somebody_first() and self._has_slot_for(caller):
                self._take_slot(caller)
                waiter.decide(is_admitted=True)
                return waiter
            if not self._may_wait(caller):
                return None
            self._waiting.append(waiter)
            return waiter

    def _is_somebody_first(self) -> bool:
        """Return whether a waiter could come in; others do not count."""
        return any(self._has_slot_for(waiter.caller) for waiter in self._waiting)

    def _may_wait(self, caller: str) -> bool:
        if len(self._waiting) >= self._max_waiting:
            return False
        n_own = sum(waiter.caller == caller for waiter in self._waiting)
        return caller == ANYBODY or n_own < self._max_waiting_per_caller

    def _give_up(self, waiter: _Waiter) -> None:
        with self._lock:
            # It may have been decided at the last moment.
            if not waiter.is_decided.is_set():
                self._waiting.remove(waiter)
