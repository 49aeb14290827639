"""Values that many requests share in the memory of a process, bounded by bytes."""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from threading import Lock
from typing import Final, Generic, Protocol, TypeVar

from perf.deadlines import within_deadline
from perf.metrics import (
    CACHE_READS,
    MEMORY_CACHE_BYTES,
    MEMORY_CACHE_ENTRIES,
    MEMORY_CACHE_EVICTIONS,
    CacheOutcome,
)
from perf.single_flight import SingleFlight
from perf.switches import Switch, is_on

WAIT_S: Final = 30.0
# Names whose last change is known.
MAX_CHANGED: Final = 10_000


class Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


Value = TypeVar("Value", bound=Sized)


class Holder(Protocol):
    """Holds copies in the memory of this process."""

    def drop(self, names: Collection[str]) -> None: ...

    def clear(self) -> None: ...


class LocalCopies:
    """Has holders drop what changed.

    `generation` grows with each change: what began in an earlier one may be old.
    """

    def __init__(self) -> None:
        self._holders: list[Holder] = []
        self._lock = Lock()
        self.generation = 0
        # When each name changed last; of generations before `_known_since` all did.
        self._changed: dict[str, int] = {}
        self._known_since = 0

    def attach(self, holder: Holder) -> None:
        self._holders.append(holder)

    def keep(
        self, generation: int, put: Callable[[], object], names: Collection[str] = ()
    ) -> bool:
        """Keep what was read in a generation, unless something has changed since.

        Of what depends on `names` alone, only these count.
        """
        with self._lock:
            if generation != self.generation and not self._is_current(
                generation, names
            ):
                return False
            put()
        return True

    def drop(self, names: Collection[str]) -> None:
        with self._lock:
            self.generation += 1
            self._changed.update(dict.fromkeys(names, self.generation))
            if len(self._changed) > MAX_CHANGED:
                self._forget_changes()
        for holder in self._holders:
            holder.drop(names)

    def clear(self) -> None:
        """Drop everything: what changed is not known any more."""
        with self._lock:
            self.generation += 1
            self._forget_changes()
        for holder in self._holders:
            holder.clear()

    def _is_current(self, generation: int, names: Collection[str]) -> bool:
        if not names or generation < self._known_since:
            return False
        return all(self._changed.get(name, 0) <= generation for name in names)

    def _forget_changes(self) -> None:
        self._changed.clear()
        self._known_since = self.generation


class ByteCache(Generic[Value]):
    """Values by key, the least recently used leaving first; safe between threads.

    A value may depend on names of changes, and is dropped by them. What is larger
    than `max_value_bytes` is not cached.
    """

    def __init__(
        self, name: str, *, max_bytes: int, max_value_bytes: int | None = None
    ) -> None:
        self.name = name
        self.nbytes = 0
        self._max_bytes = max_bytes
        self._max_value_bytes = max_value_bytes or max_bytes
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._names_of: dict[Hashable, Collection[str]] = {}
        self._keys_of: defaultdict[str, set[Hashable]] = defaultdict(set)
        self._single_flight: SingleFlight[Value] = SingleFlight()
        self._lock = Lock()

    def __iter__(self) -> Iterator[Value]:
        with self._lock:
            return iter(list(self._values.values()))

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
        return value

    def get_many(self, keys: Collection[Hashable]) -> list[Value | None]:
        with self._lock:
            found = [self._values.get(key) for key in keys]
            for key, value in zip(keys, found, strict=True):
                if value is not None:
                    self._values.move_to_end(key)
        return found

    def put(self, key: Hashable, value: Value, names: Collection[str] = ()) -> bool:
        """Cache a value; returns whether it fits."""
        return self.put_many([(key, value)], names)

    def put_many(
        self,
        values: Iterable[tuple[Hashable, Value]],
        names: Collection[str] = (),
    ) -> bool:
        """Cache values that depend on the same; returns whether each of them fits."""
        do_fit = True
        with self._lock:
            for key, value in values:
                is_small = value.nbytes <= self._max_value_bytes
                do_fit &= is_small
                if is_small:
                    self._insert(key, value, names)
            self._show_size()
        return do_fit

    def _insert(self, key: Hashable, value: Value, names: Collection[str]) -> None:
        self._remove(key)
        self._values[key] = value
        self.nbytes += value.nbytes
        if names:
            self._names_of[key] = names
        for name in names:
            self._keys_of[name].add(key)
        while self.nbytes > self._max_bytes:
            self._remove(next(iter(self._values)))
            MEMORY_CACHE_EVICTIONS.labels(self.name).inc()

    def get_or_compute(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """Return the value of a key that stands for one value for ever.

        Threads that miss the same at once share one computation.
        """
        if not is_on(Switch.MODELS):
            return compute()
        value = self.get(key)
        if value is not None:
            self._count(CacheOutcome.HIT)
            return value

        def compute_and_keep() -> Value:
            value = compute()
            if not self.put(key, value):
                self._count(CacheOutcome.NOT_KEPT)
            return value

        wait_s = within_deadline(WAIT_S)
        value, is_shared = self._single_flight.run(key, compute_and_keep, wait_s=wait_s)
        self._count(CacheOutcome.JOINED if is_shared else CacheOutcome.MISS)
        return value

    def discard(self, key: Hashable, value: Value) -> None:
        """Remove a value, unless another has taken its place."""
        with self._lock:
            if self._values.get(key) is value:
                self._remove(key)
                self._show_size()

    def drop(self, names: Collection[str]) -> None:
        """Remove what depends on one of these names."""
        with self._lock:
            for name in names:
                for key in tuple(self._keys_of.get(name, ())):
                    self._remove(key)
            self._show_size()

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self._names_of.clear()
            self._keys_of.clear()
            self.nbytes = 0
            self._show_size()

    def _remove(self, key: Hashable) -> None:
        value = self._values.pop(key, None)
        if value is None:
            return
        self.nbytes -= value.nbytes
        for name in self._names_of.pop(key, ()):
            self._keys_of[name].discard(key)
            if not self._keys_of[name]:
                del self._keys_of[name]

    def _show_size(self) -> None:
        MEMORY_CACHE_BYTES.labels(self.name).set(self.nbytes)
        MEMORY_CACHE_ENTRIES.labels(self.name).set(len(self._values))

    def _count(self, outcome: CacheOutcome) -> None:
        CACHE_READS.labels(self.name, outcome).inc()
