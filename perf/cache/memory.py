"""Keeps what many requests share in the memory of a process, up to a number of bytes.

What is kept never changes: a key stands for one value for ever.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, Protocol, TypeVar

from perf.cache.tallies import Outcome, Tally
from perf.deadlines import within_deadline
from perf.metrics import MEMORY_CACHE_BYTES
from perf.single_flight import Flights
from perf.switches import Switch, is_on

WAIT_S = 30.0


class Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


Value = TypeVar("Value", bound=Sized)


class ByteCache(Generic[Value]):
    """Values by key, the least recently used leaving first; safe between threads.

    Threads that miss the same at once share one computation.
    """

    def __init__(self, name: str, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._flights: Flights[Value] = Flights()
        self._lock = Lock()
        self._tally = Tally(name)

    def get_or_compute(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """Return the value kept under a key; what is too large is not kept."""
        if not is_on(Switch.MODELS):
            return compute()
        with self._lock:
            kept = self._values.get(key)
            if kept is not None:
                self._values.move_to_end(key)
        if kept is not None:
            self._tally.count(Outcome.HIT)
            return kept
        landed = self._flights.run(
            key, lambda: self._computed(key, compute), wait_s=within_deadline(WAIT_S)
        )
        self._tally.count(Outcome.JOINED if landed.is_shared else Outcome.MISS)
        return landed.result

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self._bytes = 0
        self._show_size()

    @property
    def nbytes(self) -> int:
        return self._bytes

    def _computed(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        value = compute()
        if value.nbytes > self._max_bytes:
            self._tally.count(Outcome.NOT_KEPT)
            return value
        with self._lock:
            self._keep(key, value)
        self._show_size()
        return value

    def _keep(self, key: Hashable, value: Value) -> None:
        if key in self._values:
            return
        self._values[key] = value
        self._bytes += value.nbytes
        while self._bytes > self._max_bytes:
            _, oldest = self._values.popitem(last=False)
            self._bytes -= oldest.nbytes

    def _show_size(self) -> None:
        MEMORY_CACHE_BYTES.labels(self._tally.cache).set(self._bytes)
