"""Buckets in Redis are never overdrawn, however many processes ask at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from perf.limits.accounts import Accounts
from perf.limits.buckets import Grant, Limit
from perf.limits.shared_buckets import SharedBuckets
from perf.shared_store import SharedStore, store
from tests.perf.bench.bench_doubles import ManualClock

SMALL = Limit(name="default", n_requests=10, period_s=3_600)
LARGE = Limit(name="default", n_requests=10_000, period_s=3_600)


def unreachable() -> Redis:
    raise RedisConnectionError


@pytest.fixture
def key() -> str:
    return uuid4().hex


class Counted(SharedBuckets):
    """Counts how often Redis is asked."""

    n_asked = 0

    def take(
        self, key: str, limit: Limit, *, wanted: int, given_back: int = 0
    ) -> Grant:
        self.n_asked += 1
        return super().take(key, limit, wanted=wanted, given_back=given_back)


def test_of_a_hundred_at_once_ten_are_let_in(key: str) -> None:
    accounts = [Accounts(SharedBuckets(store)) for _ in range(4)]
    start = Barrier(100)

    def ask(number: int) -> bool:
        start.wait(timeout=10)
        return accounts[number % 4].charge(key, SMALL).is_admitted

    with ThreadPoolExecutor(100) as threads:
        admitted = list(threads.map(ask, range(100)))
    assert sum(admitted) == 10


def test_a_large_bucket_is_leased_and_never_overdrawn(key: str) -> None:
    buckets = Counted(store)
    processes = [Accounts(buckets, clock=ManualClock()) for _ in range(3)]
    admitted = sum(
        process.charge(key, LARGE).is_admitted
        for _ in range(4_000)
        for process in processes
    )
    # Something flows in while the test runs, and something is leased elsewhere.
    assert 10_000 - 3 * LARGE.lease <= admitted <= 10_000 + LARGE.per_s * 60
    assert buckets.n_asked <= 3 * (10_000 / LARGE.lease)


def test_what_is_left_counts_down(key: str) -> None:
    accounts = Accounts(SharedBuckets(store))
    left = [accounts.charge(key, SMALL).n_left for _ in range(11)]
    assert left == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]


def test_a_refusal_is_remembered_for_as_long_as_it_holds(key: str) -> None:
    clock, buckets = ManualClock(), Counted(store)
    accounts = Accounts(buckets, clock=clock)
    verdicts = [accounts.charge(key, SMALL) for _ in range(500)]
    assert sum(verdict.is_admitted for verdict in verdicts) == 10
    assert buckets.n_asked == 11
    assert 300 < verdicts[-1].wait_s <= 360
    clock.seconds += verdicts[-1].wait_s + 1
    accounts.charge(key, SMALL)
    assert buckets.n_asked == 12


def test_what_was_leased_and_not_spent_is_given_back(key: str) -> None:
    clock, buckets = ManualClock(), Counted(store)
    processes = [Accounts(buckets, clock=clock) for _ in range(4)]
    left = 0
    for _ in range(60):
        clock.seconds += 5
        left = min(process.charge(key, LARGE).n_left for process in processes)
    assert buckets.n_asked == 240
    # 240 were spent, and each process holds one lease.
    assert left >= 10_000 - 240 - 4 * LARGE.lease


def test_without_redis_each_process_counts_for_itself(key: str) -> None:
    lost = SharedBuckets(SharedStore(unreachable))
    clock = ManualClock()
    processes = [Accounts(lost, clock=clock) for _ in range(2)]
    admitted = [
        sum(process.charge(key, SMALL).is_admitted for _ in range(50))
        for process in processes
    ]
    assert admitted == [10, 10]
    clock.seconds += 361
    assert processes[0].charge(key, SMALL).is_admitted


def test_as_many_accounts_are_kept_as_may_be(key: str) -> None:
    lost = SharedBuckets(SharedStore(unreachable))
    accounts = Accounts(lost, max_accounts=10)
    for number in range(100):
        accounts.charge(f"{key}{number}", SMALL)
    assert len(accounts) == 10


def test_a_bucket_that_is_full_again_is_forgotten(key: str) -> None:
    limit = Limit(name="default", n_requests=5, period_s=1)
    SharedBuckets(store).take(key, limit, wanted=1)

    def lifetime_ms(redis: Redis) -> int:
        return int(redis.pttl(f"riskplatform:perf:limit:{key}"))

    assert 0 < store.run(lifetime_ms) <= 1_000
