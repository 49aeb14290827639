"""Level 1: whole answers in the memory of this process, up to a number of bytes."""

from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Iterator
from threading import Lock

from perf.cache.edge.response import Entry
from perf.metrics import EDGE_BYTES, EDGE_ENTRIES, EDGE_EVICTIONS


class LocalEntries:
    """Entries by key, the least recently used leaving first; safe between threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._keys_of: defaultdict[str, set[Hashable]] = defaultdict(set)
        self._lock = Lock()
        self.nbytes = 0
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        with self._lock:
            return iter(list(self._entries.values()))

    def get(self, key: Hashable) -> Entry | None:
        """Return what is kept, expired or not; who asks for it looks at the time."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
        return entry

    def put(self, key: Hashable, entry: Entry) -> None:
        """Keep an entry; what is larger than an eighth of the room is not kept."""
        if entry.nbytes > self._max_bytes // 8:
            return
        with self._lock:
            self._remove(key)
            self._entries[key] = entry
            self.nbytes += entry.nbytes
            for name in entry.names:
                self._keys_of[name].add(key)
            while self.nbytes > self._max_bytes:
                self._remove(next(iter(self._entries)))
                self.evictions += 1
                EDGE_EVICTIONS.inc()
            self._report()

    def drop(self, names: frozenset[str]) -> None:
        with self._lock:
            for name in names:
                for key in tuple(self._keys_of.get(name, ())):
                    self._remove(key)
            self._report()

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._keys_of.clear()
            self.nbytes = 0
            self._report()

    def _remove(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.nbytes -= entry.nbytes
        for name in entry.names:
            self._keys_of[name].discard(key)
            if not self._keys_of[name]:
                del self._keys_of[name]

    def _report(self) -> None:
        EDGE_BYTES.set(self.nbytes)
        EDGE_ENTRIES.set(len(self._entries))
