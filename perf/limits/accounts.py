"""What this process holds of each bucket: leased tokens, or the news that none is left.

Tokens are leased from Redis some at a time and spent without another call, so buckets
are never overdrawn; what is not spent before the lease ends is given back.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

from perf.limits.buckets import Bucket, Grant, Limit
from perf.limits.shared_buckets import SharedBuckets
from perf.shared_store import StoreUnavailableError

MAX_ACCOUNTS = 20_000
LEASE_S = 1.0


class Charge(NamedTuple):
    """What is left for a caller; one that has to wait is refused."""

    n_left: int
    wait_s: float = 0.0

    @property
    def is_admitted(self) -> bool:
        return not self.wait_s


@dataclass(slots=True)
class _Account:
    n_leased: int = 0
    n_left: int = 0
    lease_ends_s: float = 0.0
    refused_until_s: float = 0.0
    own: Bucket | None = None


class Accounts:
    """Charges requests to buckets; without Redis each process has its own."""

    def __init__(
        self,
        buckets: SharedBuckets,
        *,
        max_accounts: int = MAX_ACCOUNTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._buckets = buckets
        self._max_accounts = max_accounts
        self._clock = clock
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        self._lock = Lock()

    def charge(self, key: str, limit: Limit) -> Charge:
        """Take one token from the bucket with this key."""
        now_s = self._clock()
        with self._lock:
            account = self._account(key)
            known = self._spend(account, now_s)
            if known is not None:
                return known
            unspent, account.n_leased = account.n_leased, 0
        try:
            grant = self._buckets.take(
                key, limit, wanted=limit.lease, given_back=unspent
            )
        except StoreUnavailableError:
            grant = self._take_own(account, limit, now_s)
        with self._lock:
            return self._note(account, grant, now_s)

    def __len__(self) -> int:
        return len(self._accounts)

    def _account(self, key: str) -> _Account:
        account = self._accounts.get(key)
        if account is not None:
            self._accounts.move_to_end(key)
            return account
        if len(self._accounts) >= self._max_accounts:
            self._accounts.popitem(last=False)
        account = self._accounts[key] = _Account()
        return account

    def _spend(self, account: _Account, now_s: float) -> Charge | None:
        """Decide without a call to Redis, where that is possible."""
        if account.n_leased and now_s < account.lease_ends_s:
            account.n_leased -= 1
            return Charge(account.n_left + account.n_leased)
        if now_s < account.refused_until_s:
            return Charge(0, account.refused_until_s - now_s)
        return None

    def _take_own(self, account: _Account, limit: Limit, now_s: float) -> Grant:
        with self._lock:
            account.own = account.own or Bucket(limit, now_s=now_s)
            return account.own.take(1, now_s=now_s)

    def _note(self, account: _Account, grant: Grant, now_s: float) -> Charge:
        account.n_left = grant.n_left
        if not grant.n_tokens:
            account.refused_until_s = now_s + grant.wait_s
            return Charge(0, grant.wait_s)
        account.n_leased += grant.n_tokens - 1
        account.lease_ends_s = now_s + LEASE_S
        return Charge(account.n_left + account.n_leased)
