"""Load on a FairQueue in simulated time: nothing sleeps, and each run is the same."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from perf.limits.fair_queue import FairQueue, QueuedRequest

TIME_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    caller: str
    seconds: float
    is_served: bool


@dataclass(slots=True, kw_only=True)
class Simulation:
    """So many threads, each request taking `work_s` of one."""

    threads: int
    work_s: float
    max_waiting: int = 512
    now_s: float = 0.0
    answered: list[Answered] = field(default_factory=list)
    _queue: FairQueue = field(init=False)
    _free: int = field(init=False)
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        self._free = self.threads
        self._queue = FairQueue(
            max_inside=self.threads,
            max_waiting=self.max_waiting,
            max_per_caller=max(1, self.threads - 1),
            clock=lambda: self.now_s,
        )

    def send_at_random(self, rate: float, *, seconds: float, callers: int = 1) -> None:
        """Send so many requests a second, whatever comes of them."""
        rng, at_s = random.Random(1), 0.0  # noqa: S311 - the same each time, no secret
        while (at_s := at_s + rng.expovariate(rate)) < seconds:
            caller = f"caller {rng.randrange(callers)}"
            self._at(at_s, lambda caller=caller: self.send(caller))  # type: ignore[misc]  # default argument binds the loop variable

    def send_in_turn(self, caller: str, *, connections: int) -> None:
        """Send on each connection the next request when the last is answered."""

        def again() -> None:
            self._at(self.now_s + 0.001, lambda: self.send(caller, then=again))

        for _ in range(connections):
            again()

    def send(self, caller: str, *, then: Callable[[], None] = lambda: None) -> None:
        begun_s = self.now_s

        def answer(*, is_served: bool) -> None:
            taken_s = self.now_s - begun_s
            self.answered.append(
                Answered(caller=caller, seconds=taken_s, is_served=is_served)
            )
            then()

        request = QueuedRequest(
            caller=caller,
            arrived_s=begun_s,
            time_limit_s=TIME_LIMIT_S,
            usual_limit_s=TIME_LIMIT_S,
            run=lambda: answer(is_served=True),
            refuse=lambda: answer(is_served=False),
        )
        if self._queue.offer(request):
            self._serve()
        else:
            request.refuse()

    def run(self, *, until_s: float) -> None:
        while self._events and self._events[0][0] <= until_s:
            self.now_s, _, event = heapq.heappop(self._events)
            event()

    def of(self, caller: str) -> list[Answered]:
        return [answer for answer in self.answered if answer.caller == caller]

    def _at(self, at_s: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (at_s, next(self._numbers), event))

    def _serve(self) -> None:
        while self._free and (request := self._queue.take()):
            if self._queue.is_late(request):
                self._queue.end(request, work_s=None)
                request.refuse()
                continue
            self._free -= 1
            self._at(
                self.now_s + self.work_s,
                lambda request=request: self._finish(request),  # type: ignore[misc]  # as above
            )

    def _finish(self, request: QueuedRequest) -> None:
        self._free += 1
        self._queue.end(request, work_s=self.work_s)
        request.run()
        self._serve()
