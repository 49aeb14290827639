"""Computed values in Redis: asked for by a key of typed parts, computed once.

Among the threads of a process one computes, among processes the one with the lease.
A value past its time is given for a little longer while one thread renews it. Redis
away, or full of what somebody else wrote there, means computing, and never an error.
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Generic, TypeVar

import msgspec
from redis import Redis

from perf.cache.codecs import Codec, NotEncodableError, UndecodableError
from perf.cache.envelope import Envelope, NotAnEnvelopeError, seal, unseal
from perf.cache.leases import Lease, take_lease
from perf.cache.lifetimes import NOTHING_TTL_S, STALE_S
from perf.cache.refreshing import Refresher, refresher
from perf.cache.tallies import Outcome, Tally
from perf.cache.versions import Versions, versions
from perf.deadlines import within_deadline
from perf.metrics import CACHE_WRITTEN_BYTES
from perf.shared_store import PREFIX, SharedStore, StoreUnavailableError, store
from perf.single_flight import Flights
from perf.switches import Switch, is_on

T = TypeVar("T")
logger = logging.getLogger(__name__)

# Values made at once do not end at once.
JITTER = 0.1
POLL_S = 0.02
# Beyond what anybody in a flight waits for: a lease and a computation.
FLIGHT_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    value: T
    is_fresh: bool


@dataclass(frozen=True)
class ValueCache(Generic[T]):
    """Values of one kind; a module constant of whoever computes them.

    `schema` is raised whenever the same parts would mean another value. Where a value
    `may_be_none`, that there is nothing is kept for `nothing_ttl_s` only. `lease_s` is
    how long a process may compute before others take over, `wait_s` how long they wait
    until they compute for themselves. What is encoded into more than `max_bytes` is
    not kept.
    """

    name: str
    _: KW_ONLY
    codec: Codec[T]
    schema: int
    ttl_s: float
    may_be_none: bool = False
    stale_s: float = STALE_S
    nothing_ttl_s: float = NOTHING_TTL_S
    lease_s: float = 10.0
    wait_s: float = 1.0
    max_bytes: int = 4 << 20
    switch: Switch = Switch.VALUES
    store: SharedStore = store
    versions: Versions = versions
    refresher: Refresher = refresher
    clock: Callable[[], float] = time.time
    tally: Tally = field(init=False)
    _flights: Flights[T] = field(init=False, default_factory=Flights)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tally", Tally(self.name))

    def get_or_compute(
        self,
        parts: Sequence[object],
        compute: Callable[[], T],
        *,
        depends_on: Sequence[str] = (),
    ) -> T:
        """Give the value that the parts of a key stand for.

        Parts are what msgpack can write: numbers, texts, bytes, moments, UUIDs and
        sequences of these. `depends_on` names what the value is computed from, as
        announced (`riskplatform.kernel.changes`) when it changes. `compute` may run
        in another thread, later.
        """
        if not is_on(self.switch):
            return compute()
        version = ""
        if depends_on:
            # Read first: what is written meanwhile has a version of its own.
            current = self.versions.current(depends_on)
            if current is None:
                self.tally.count(Outcome.UNAVAILABLE)
                return compute()
            version = current
        return self._found_or_computed(self.key((*parts, version)), compute)

    def key(self, parts: Sequence[object]) -> str:
        """Name the key in Redis that parts, the version included, stand for."""
        written = msgspec.msgpack.encode(parts, order="deterministic")
        digest = blake2b(written, digest_size=20).hexdigest()
        return f"{PREFIX}value:{self.name}:{self.schema}:{digest}"

    def _found_or_computed(self, key: str, compute: Callable[[], T]) -> T:
        try:
            kept = self._read(key)
        except StoreUnavailableError:
            self.tally.count(Outcome.UNAVAILABLE)
            return self._flights.run(
                key, compute, wait_s=within_deadline(FLIGHT_WAIT_S)
            ).result
        if kept is None:
            landed = self._flights.run(
                key,
                partial(self._missed, key, compute),
                wait_s=within_deadline(FLIGHT_WAIT_S),
            )
            if landed.is_shared:
                self.tally.count(Outcome.JOINED)
            return landed.result
        if kept.is_fresh:
            self.tally.count(Outcome.HIT)
        else:
            self.tally.count(Outcome.STALE)
            self.refresher.submit(key, partial(self._renew, key, compute))
        return kept.value

    def _missed(self, key: str, compute: Callable[[], T]) -> T:
        """Compute as the one process that does, or wait for that process."""
        try:
            turn = self._turn(key)
        except StoreUnavailableError:
            self.tally.count(Outcome.UNAVAILABLE)
            return compute()
        if isinstance(turn, Lease):
            return self._computed_with(turn, key, compute)
        if turn is None:
            return self._computed(key, compute)
        self.tally.count(Outcome.JOINED)
        return turn.value

    def _turn(self, key: str) -> Lease | _Kept[T] | None:
        """Wait for the lease or what its holder computes; for nothing at the end.

        Better twice than never: whoever computes for so long is slow, or dead.
        """
        until_s = time.monotonic() + within_deadline(self.wait_s)
        while (lease := self._lease(key)) is None:
            if time.monotonic() >= until_s:
                return None
            time.sleep(POLL_S)
            if (kept := self._read(key)) is not None:
                return kept
        return lease

    def _computed_with(self, lease: Lease, key: str, compute: Callable[[], T]) -> T:
        try:
            # Somebody may have finished between the look and the lease.
            if (kept := self._read_quietly(key)) is not None and kept.is_fresh:
                self.tally.count(Outcome.JOINED)
                return kept.value
            return self._computed(key, compute)
        finally:
            lease.release(self.store)

    def _renew(self, key: str, compute: Callable[[], T]) -> None:
        lease = self._lease(key)
        if lease is not None:
            self._computed_with(lease, key, compute)

    def _computed(self, key: str, compute: Callable[[], T]) -> T:
        self.tally.count(Outcome.MISS)
        began_s = self.clock()
        value = compute()
        self._keep(key, value, began_s)
        return value

    def _lease(self, key: str) -> Lease | None:
        return take_lease(self.store, f"{key}:lease", lease_s=self.lease_s)

    def _read(self, key: str) -> _Kept[T] | None:
        sealed = self.store.run(partial(_get, key=key))
        if sealed is None:
            return None
        try:
            return self._opened(sealed)
        except (NotAnEnvelopeError, UndecodableError) as error:
            self.tally.count(Outcome.GARBAGE)
            logger.info("a value of %s cannot be read: %s", self.name, error)
            return None

    def _read_quietly(self, key: str) -> _Kept[T] | None:
        try:
            return self._read(key)
        except StoreUnavailableError:
            return None

    def _opened(self, sealed: bytes) -> _Kept[T] | None:
        envelope = unseal(sealed, schema=self.schema, max_bytes=self.max_bytes)
        age_s = envelope.age_s(self.clock())
        if age_s >= envelope.ttl_s + self.stale_s:
            return None
        is_fresh = age_s < envelope.ttl_s
        if envelope.body is not None:
            return _Kept(self.codec.decode(envelope.body), is_fresh)
        if not self.may_be_none:
            raise NotAnEnvelopeError("It says that there is nothing.")
        return _Kept(None, is_fresh)  # type: ignore[arg-type]  # None is a value here

    def _keep(self, key: str, value: T, began_s: float) -> None:
        is_nothing = self.may_be_none and value is None
        mean_ttl_s = self.nothing_ttl_s if is_nothing else self.ttl_s
        # Not for secrets: it spreads the ends.
        ttl_s = mean_ttl_s * random.uniform(1.0 - JITTER, 1.0 + JITTER)  # noqa: S311
        try:
            body = None if is_nothing else self.codec.encode(value)
        except NotEncodableError as error:
            self.tally.count(Outcome.NOT_KEPT)
            logger.warning("a value of %s cannot be kept: %s", self.name, error)
            return
        if body is not None and len(body) > self.max_bytes:
            self.tally.count(Outcome.NOT_KEPT)
            return
        envelope = Envelope(body=body, made_s=began_s, ttl_s=ttl_s)
        self._put(key, seal(envelope, schema=self.schema), ttl_s + self.stale_s)

    def _put(self, key: str, sealed: bytes, lasting_s: float) -> None:
        lasting_ms = max(1, round(lasting_s * 1_000))
        try:
            self.store.run(lambda redis: redis.set(key, sealed, px=lasting_ms))
        except StoreUnavailableError:
            self.tally.count(Outcome.UNAVAILABLE)
        else:
            CACHE_WRITTEN_BYTES.labels(self.name).inc(len(sealed))


def _get(redis: Redis, *, key: str) -> bytes | None:
    found = redis.get(key)
    return found if isinstance(found, bytes) else None
