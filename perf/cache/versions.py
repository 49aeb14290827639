"""Versions of what values are computed from: a new one with every change announced.

A version is a token without order in Redis, renewed by whoever announces a change.
Values are kept under the versions read *before* they were computed, so that none
computed from what was there before a change is found after it.
"""

import logging
import secrets
import time
from collections.abc import Iterable, Sequence
from threading import Lock, Thread

from redis import Redis

from perf.metrics import VERSION_RENEWALS
from perf.shared_store import PREFIX, SharedStore, StoreUnavailableError, store

# Part of every version: a new one gives up all that is kept.
EPOCH = "epoch"
# Far beyond the life of a value; one that went is made anew and means nothing old.
LASTING_S = 86_400
RETRY_S = 1.0

logger = logging.getLogger(__name__)


class Versions:
    """Reads and renews versions.

    A process that could not reach Redis does not know whose changes went unheard,
    its own among them. Until it has renewed the epoch it takes nothing for current.
    """

    def __init__(self, shared_store: SharedStore = store) -> None:
        self._store = shared_store
        self._failures = 0
        self._made_up_for = 0
        self._lock = Lock()
        self._retries = False

    @property
    def is_in_doubt(self) -> bool:
        return self._failures != self._made_up_for

    def current(self, names: Sequence[str]) -> str | None:
        """Give the version of all these together; none means: keep nothing."""
        try:
            if self.is_in_doubt:
                self._renew_epoch()
            tokens = self._store.run(
                lambda redis: _tokens(redis, [EPOCH, *sorted(set(names))])
            )
        except StoreUnavailableError:
            self._note_failure()
            return None
        # One that cannot even be made anew would stand for any state.
        return ".".join(tokens) if all(tokens) else None

    def renew(self, names: Iterable[str]) -> None:
        """Give these new versions; without Redis that is made up for later."""
        fresh = set(names)
        try:
            if self.is_in_doubt:
                self._renew_epoch()
            self._store.run(lambda redis: _renew(redis, fresh))
        except StoreUnavailableError:
            self._note_failure()
            self._retry_in_background()

    def renew_all(self) -> None:
        """Give up everything that was kept under any version."""
        self.renew([EPOCH])

    def _renew_epoch(self) -> None:
        failures = self._failures
        self._store.run(lambda redis: _renew(redis, {EPOCH}))
        with self._lock:
            self._made_up_for = max(self._made_up_for, failures)
        VERSION_RENEWALS.inc()
        logger.warning("Redis had been away: all that was kept is given up")

    def _note_failure(self) -> None:
        with self._lock:
            self._failures += 1

    def _retry_in_background(self) -> None:
        """Other processes go on trusting what was changed here until this is done."""
        with self._lock:
            if self._retries:
                return
            self._retries = True
        Thread(target=self._retry, name="cache-versions", daemon=True).start()

    def _retry(self) -> None:
        while True:
            time.sleep(RETRY_S)
            try:
                if self.is_in_doubt:
                    self._renew_epoch()
            except StoreUnavailableError:
                continue
            with self._lock:
                if not self.is_in_doubt:
                    self._retries = False
                    return


versions = Versions()


def hear(names: frozenset[str]) -> None:
    """Listen to what is announced (`riskplatform.kernel.changes.listen`)."""
    versions.renew(names)


def _tokens(redis: Redis, names: Sequence[str]) -> list[str]:
    keys = [_key(name) for name in names]
    tokens = redis.mget(keys)
    if not all(tokens):
        with redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.set(key, _new_token(), nx=True, ex=LASTING_S)
            pipe.mget(keys)
            tokens = pipe.execute()[-1]
    return [token.hex() if isinstance(token, bytes) else "" for token in tokens]


def _renew(redis: Redis, names: set[str]) -> None:
    with redis.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.set(_key(name), _new_token(), ex=LASTING_S)
        pipe.execute()


def _key(name: str) -> str:
    return f"{PREFIX}version:{name}"


def _new_token() -> str:
    return secrets.token_hex(8)
