"""Who computes, among processes: a key in Redis that goes away by itself."""

import secrets
from contextlib import suppress
from dataclasses import dataclass

from perf.shared_store import SharedStore, StoreUnavailableError

# Only who holds the lease gives it back: another may hold it by now.
RELEASE = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A claim that ends when it is released or, if its holder dies, by itself."""

    key: str
    token: str

    def release(self, store: SharedStore) -> None:
        with suppress(StoreUnavailableError):
            store.run(lambda redis: redis.eval(RELEASE, 1, self.key, self.token))


def take_lease(store: SharedStore, key: str, *, lease_s: float) -> Lease | None:
    """Claim, or give nothing if somebody else has it.

    Raises
    ------
    StoreUnavailableError
    """
    token = secrets.token_hex(8)
    lasting_ms = max(1, round(lease_s * 1_000))
    taken = store.run(lambda redis: redis.set(key, token, nx=True, px=lasting_ms))
    return Lease(key=key, token=token) if taken else None
