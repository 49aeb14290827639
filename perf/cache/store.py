"""What all processes keep in Redis: entries that are valid while nothing changes.

Every name of a change has a version there, replaced by each change. An entry holds the
versions of the names that it depends on, and is valid while they are the same: a
version that is lost makes entries invalid, never valid. Who computes first claims the
key, with a lease and a stamp of the clock there; what changed after the stamp is not
stored. The epoch is part of every entry that depends on anything: a new one ends them.
"""

import secrets
import struct
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from typing import Any, Final, TypeVar

from django.conf import settings
from redis import Redis
from redis.commands.core import Script

from perf.cache.lifetimes import is_due
from perf.cache.scripts import CHANGE, CLAIM, CLAIMED, ENTRY, FLUSH, PUT, RELEASE
from perf.metrics import EPOCH_RENEWALS, STAMPEDES_PREVENTED
from perf.shared_store import (
    PREFIX,
    SharedStore,
    StoreRefusesError,
    StoreUnavailableError,
)

# The braces keep all keys in one slot of a cluster.
KEYS: Final = PREFIX + "{cache}:"
NAME_KEPT_MS: Final = 86_400_000
POLL_S: Final = 0.01
DIGEST_BYTES: Final = 16
COST: Final = struct.Struct("<d")

Value = TypeVar("Value")


class PutOutcome(IntEnum):
    """What became of an entry; UNKNOWN: it may be older than a change, or not."""

    OLD = 0
    STORED = 1
    UNKNOWN = 2


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to compute what a key stands for, for as long as the lease lasts."""

    key: str
    token: str
    epoch: str
    stamp: str
    # The stored entry has a wrong signature, or is damaged.
    is_after_garbage: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An entry that is valid; `cost_s` is how long it took to compute."""

    content: bytes
    cost_s: float
    age_s: float
    left_s: float


class SharedCache:
    """Entries by key. Without Redis its methods raise StoreUnavailableError.

    A process that could not reach Redis does not know whose changes are lost, its own
    among them: it renews the epoch before it uses an entry again.
    """

    def __init__(self, store: SharedStore) -> None:
        self._store = store
        self._scripts: dict[str, Script] = {}
        self._outages = 0
        self._made_up_for = 0

    @property
    def channel(self) -> str:
        """Name where changes are published: channels reach across databases."""
        return f"{KEYS}changes:{self._store.database}"

    def find(
        self,
        key: str,
        read: Callable[["Found"], Value | None],
        *,
        lease_s: float,
        wait_s: float,
        is_refreshed: bool = False,
    ) -> tuple[Value | None, Claim | None]:
        """Give what `read` makes of a valid entry, and the right to compute it.

        That right comes where there is no entry, or one that is none of ours (`read`
        gives None), and with `lease_s` 0 to any number at once; with `is_refreshed`
        also to one of many a little before its end. While others compute it is waited
        for; neither comes after `wait_s`: better twice than never, since who computes
        for longer is slow, or dead.
        """
        until_s = time.monotonic() + wait_s
        answer = self._claim(key, lease_s, is_refresh=False)
        while answer is None and time.monotonic() < until_s:
            time.sleep(POLL_S)
            answer = self._claim(key, lease_s, is_refresh=False)
            if isinstance(answer, tuple):
                STAMPEDES_PREVENTED.inc()
        if not isinstance(answer, tuple):
            return None, answer
        found = _unseal(key, *answer)
        value = None if found is None else read(found)
        if found is None or value is None:
            claim = self.claim(key, lease_s=lease_s)
            return None, claim and replace(claim, is_after_garbage=True)
        if is_refreshed and is_due(found.left_s, found.cost_s):
            return value, self.claim(key, lease_s=lease_s)
        return value, None

    def claim(self, key: str, *, lease_s: float) -> Claim | None:
        """Claim whether or not an entry is there; None while another computes."""
        answer = self._claim(key, lease_s, is_refresh=True)
        return answer if isinstance(answer, Claim) else None

    def put(
        self,
        claim: Claim,
        content: bytes,
        *,
        names: Collection[str],
        ttl_s: float,
        cost_s: float,
    ) -> PutOutcome:
        """Store what was computed under a claim, unless a name has changed since."""
        args = (
            *(KEYS, claim.token, claim.epoch, claim.stamp),
            _seal(claim.key, content, cost_s),
            *(_milliseconds(ttl_s), NAME_KEPT_MS, *sorted(names)),
        )
        return PutOutcome(self._run(PUT, [_entry(claim.key), _lock(claim.key)], args))

    def release(self, claim: Claim) -> None:
        """Let others compute: the result is not stored."""
        # Without Redis the claim ends by itself.
        with suppress(StoreUnavailableError):
            self._run(RELEASE, [_lock(claim.key)], (claim.token,))

    def publish(self, names: Collection[str], message: bytes) -> None:
        """Invalidate what depends on these names, and notify every process."""
        args = (KEYS, message, NAME_KEPT_MS, *sorted(names))
        # No other process publishes it, so an open circuit is ignored.
        self._run(CHANGE, [self.channel], args, insists=True)

    def renew_epoch(self, message: bytes = b"") -> None:
        """Invalidate all entries that have dependencies; `message` goes to all."""
        self._run(FLUSH, [self.channel], (KEYS, message), insists=bool(message))

    def _claim(
        self, key: str, lease_s: float, *, is_refresh: bool
    ) -> "Claim | tuple[bytes, bytes, int] | None":
        outages = self._outages
        if outages != self._made_up_for:
            self.renew_epoch()
            self._made_up_for = outages
            EPOCH_RENEWALS.inc()
        token = secrets.token_hex(8)
        lease_ms = _milliseconds(lease_s) if lease_s else 0
        args = (KEYS, token, lease_ms, int(is_refresh))
        kind, *answer = self._run(CLAIM, [_entry(key), _lock(key)], args)
        if kind == ENTRY:
            return tuple(answer)
        if kind == CLAIMED:
            epoch, stamp = (part.decode() for part in answer)
            return Claim(key, token, epoch, stamp)
        return None

    def _run(
        self,
        text: str,
        keys: list[str],
        args: tuple[Any, ...],
        *,
        insists: bool = False,
    ) -> Any:
        def run(redis: Redis) -> Any:
            script = self._scripts.get(text)
            if script is None:
                script = self._scripts[text] = redis.register_script(text)
            return script(keys=keys, args=args, client=redis)

        try:
            return self._store.run(run, insists=insists)
        except StoreRefusesError:
            raise
        except StoreUnavailableError:
            self._outages += 1
            raise


def _seal(key: str, content: bytes, cost_s: float) -> bytes:
    """Sign an entry for its key, with the secret key of this installation.

    Another client of Redis may write anything there.
    """
    body = COST.pack(cost_s) + content
    return _signature(key, body) + body


def _unseal(key: str, sealed: bytes, age_us: bytes, left_ms: int) -> Found | None:
    signed, body = sealed[:DIGEST_BYTES], sealed[DIGEST_BYTES:]
    if not compare_digest(signed, _signature(key, body)):
        return None
    return Found(
        content=body[COST.size :],
        cost_s=COST.unpack_from(body)[0],
        age_s=int(age_us) / 1e6,
        left_s=left_ms / 1e3,
    )


def _signature(key: str, body: bytes) -> bytes:
    name, secret = key.encode(), _signing_key(settings.SECRET_KEY)
    digest = blake2b(len(name).to_bytes(4) + name, digest_size=DIGEST_BYTES, key=secret)
    digest.update(body)
    return digest.digest()


@lru_cache(maxsize=2)
def _signing_key(secret: str) -> bytes:
    return blake2b(secret.encode(), person=b"shared cache").digest()


def _milliseconds(seconds: float) -> int:
    return max(1, round(1_000 * seconds))


def _entry(key: str) -> str:
    return f"{KEYS}entry:{key}"


def _lock(key: str) -> str:
    return f"{KEYS}lock:{key}"
