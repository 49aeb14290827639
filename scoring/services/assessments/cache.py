"""Keeps what assessments share in the memory of a process, up to a number of bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


Value = TypeVar("Value", bound=Sized)


class ByteCache(Generic[Value]):
    """Values by key, the least recently used leaving first; safe between threads.

    Two threads that miss at once both compute: what is kept never changes, so it
    does not matter whose value stays.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()

    def get_or_compute(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """Return the value kept under a key; what is too large is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = compute()
        with self._lock:
            self._keep(key, value)
        return value

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self._bytes = 0

    @property
    def nbytes(self) -> int:
        return self._bytes

    def _keep(self, key: Hashable, value: Value) -> None:
        if key in self._values or value.nbytes > self._max_bytes:
            return
        self._values[key] = value
        self._bytes += value.nbytes
        while self._bytes > self._max_bytes:
            _, oldest = self._values.popitem(last=False)
            self._bytes -= oldest.nbytes
