"""Computed arrays in Redis: found by a key of typed parts, computed once.

Among the threads of a process one computes, among processes the one with the claim.
Redis down, or with entries of another writer, means computing, and never an
error.
"""

import logging
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Any, Final

import msgspec
from numpy.typing import NDArray

from perf.cache.arrays import (
    Arrays,
    NotPackableError,
    UnpackableArraysError,
    frozen,
    pack_arrays,
    unpack_arrays,
)
from perf.cache.change_feed import ChangeFeed, feed
from perf.cache.lifetimes import jittered
from perf.cache.store import Claim, Found, PutOutcome
from perf.deadlines import within_deadline
from perf.metrics import CACHE_READS, CACHE_WRITTEN_BYTES, CacheOutcome
from perf.shared_store import StoreUnavailableError
from perf.single_flight import SingleFlight
from perf.switches import Switch, is_on
from riskplatform.kernel.errors import ApplicationError

Compute = Callable[[], Arrays]
Values = dict[str, NDArray[Any]]

# Beyond what any thread waits for: a claim and a computation.
SHARED_WAIT_S: Final = 30.0
LEAST_COMPRESSED_BYTES: Final = 1_024
# The quickest level: values are numbers, and gain little more by others.
LEVEL: Final = 1

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ValueCache:
    """Named arrays of one kind; a constant of the module that computes them.

    `schema` is raised whenever the same parts would mean other values. `lease_s` is how
    long a process may compute before others take over, `wait_s` how long they wait
    until they compute for themselves. What takes more than `max_bytes` is not cached.
    """

    name: str
    _: KW_ONLY
    schema: int
    ttl_s: float
    lease_s: float = 10.0
    wait_s: float = 1.0
    max_bytes: int = 4 << 20
    switch: Switch = Switch.VALUES
    feed: ChangeFeed = feed
    _single_flight: SingleFlight[tuple[Values, bool]] = field(
        init=False, default_factory=SingleFlight
    )

    def get_or_compute(
        self,
        parts: Sequence[object],
        compute: Compute,
        *,
        depends_on: Sequence[str] = (),
    ) -> Values:
        """Give the arrays that the parts of a key stand for, read-only.

        Parts are what msgpack can write: numbers, texts, bytes, moments, UUIDs and
        sequences of these. `depends_on` names what the arrays are computed from, as
        published (`riskplatform.kernel.changes`) when it changes.
        """
        if not is_on(self.switch):
            return frozen(compute())
        key, names = self.key(parts), frozenset(depends_on)
        find = partial(self._find_or_compute, key, compute, names)
        wait_s = within_deadline(SHARED_WAIT_S)
        found, is_shared = self._single_flight.run(key, find, wait_s=wait_s)
        values, is_current = found
        if not is_shared:
            return values
        if is_current:
            self._count(CacheOutcome.JOINED)
            return values
        # It may be from before a change that this thread knows of.
        return find()[0]

    def key(self, parts: Sequence[object]) -> str:
        """Name the key in Redis that parts stand for."""
        written = msgspec.msgpack.encode(parts, order="deterministic")
        digest = blake2b(written, digest_size=20).hexdigest()
        return f"value:{self.name}:{self.schema}:{digest}"

    def _find_or_compute(
        self, key: str, compute: Compute, names: frozenset[str]
    ) -> tuple[Values, bool]:
        """Give arrays, and whether they were current at the end of this call."""
        if self.feed.is_behind(names):
            return self._uncached(compute, names)
        wait_s = within_deadline(self.wait_s)
        try:
            cached, claim = self.feed.shared.find(
                key,
                self._read,
                lease_s=self.lease_s,
                wait_s=wait_s,
                is_refreshed=True,
            )
        except StoreUnavailableError:
            return self._uncached(compute, names)
        if cached is None or claim is not None:
            try:
                return self._computed(claim, compute, names)
            except ApplicationError as error:
                if cached is None:
                    raise
                logger.info("could not refresh a value of %s: %s", self.name, error)
        self._count(CacheOutcome.HIT)
        return cached, not names

    def _uncached(self, compute: Compute, names: frozenset[str]) -> tuple[Values, bool]:
        self._count(CacheOutcome.UNAVAILABLE)
        return frozen(compute()), not names

    def _computed(
        self, claim: Claim | None, compute: Compute, names: frozenset[str]
    ) -> tuple[Values, bool]:
        self._count(CacheOutcome.MISS)
        if claim is None:
            return frozen(compute()), not names
        if claim.is_after_garbage:
            self._count(CacheOutcome.GARBAGE)
        began_s, is_stored = time.monotonic(), False
        try:
            values = frozen(compute())
            is_stored = self._store(claim, values, names, time.monotonic() - began_s)
        finally:
            if not is_stored:
                self.feed.shared.release(claim)
        return values, is_stored or not names

    def _store(
        self, claim: Claim, values: Values, names: frozenset[str], cost_s: float
    ) -> bool:
        try:
            content = _packed(values, self.max_bytes)
            ttl_s = jittered(self.ttl_s)
            outcome = self.feed.shared.put(
                claim, content, names=names, ttl_s=ttl_s, cost_s=cost_s
            )
        except NotPackableError as error:
            logger.info("a value of %s is not cached: %s", self.name, error)
            self._count(CacheOutcome.NOT_KEPT)
            return False
        except StoreUnavailableError:
            self._count(CacheOutcome.UNAVAILABLE)
            return False
        CACHE_WRITTEN_BYTES.labels(self.name).inc(len(content))
        return outcome is PutOutcome.STORED

    def _read(self, found: Found) -> Values | None:
        try:
            return unpack_arrays(_decompressed(found.content, self.max_bytes))
        except (UnpackableArraysError, zlib.error) as error:
            logger.info("a value of %s cannot be read: %s", self.name, error)
            return None

    def _count(self, outcome: CacheOutcome) -> None:
        CACHE_READS.labels(self.name, outcome).inc()


def _packed(values: Values, max_bytes: int) -> bytes:
    """Compress what is long and becomes shorter; the first byte says so."""
    body = pack_arrays(values)
    if len(body) > max_bytes:
        raise NotPackableError(f"{len(body)} bytes are too many.")
    if len(body) >= LEAST_COMPRESSED_BYTES:
        shorter = zlib.compress(body, LEVEL)
        if len(shorter) < len(body):
            return b"z" + shorter
    return b"p" + body


def _decompressed(content: bytes, max_bytes: int) -> bytes:
    if content[:1] != b"z":
        return content[1:]
    unpacker = zlib.decompressobj()
    body = unpacker.decompress(content[1:], max_bytes)
    if not unpacker.eof:
        raise UnpackableArraysError("It is larger than it may be, or cut off.")
    return body
