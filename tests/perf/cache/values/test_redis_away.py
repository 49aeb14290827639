import pytest

from perf.cache.change_feed import ChangeFeed
from perf.metrics import CacheOutcome
from tests.perf.cache.keeping import Counted, IntCache, count_of, fresh_parts
from tests.perf.cache.own_redis import OwnRedis
from tests.support.waiting import wait_until

NAMES = ["events:chicago"]


@pytest.mark.parametrize("failure", ["killed", "frozen"])
def test_without_redis_values_are_computed(own_redis: OwnRedis, failure: str) -> None:
    cache = IntCache(feed=ChangeFeed(own_redis.store))
    parts, compute = fresh_parts(), Counted()
    assert cache.get_or_compute(parts, compute) == 1
    if failure == "killed":
        own_redis.server.stop(timeout_s=0)
    else:
        own_redis.freeze()
    for number in range(2, 12):
        assert cache.get_or_compute(parts, compute) == number
        assert cache.get_or_compute(parts, lambda: -1, depends_on=NAMES) == -1
    assert not own_redis.store.is_reachable
    assert count_of(cache, CacheOutcome.UNAVAILABLE) == 20
    if failure == "frozen":
        own_redis.thaw()


def test_redis_that_goes_away_during_a_computation_loses_nothing(
    own_redis: OwnRedis,
) -> None:
    cache = IntCache(feed=ChangeFeed(own_redis.store))
    compute = Counted(meanwhile=lambda: own_redis.server.stop(timeout_s=0))
    assert cache.get_or_compute(fresh_parts(), compute) == 1


def test_a_process_that_could_not_say_what_it_changed_says_so_afterwards(
    own_redis: OwnRedis,
) -> None:
    writer, reader = ChangeFeed(own_redis.store), ChangeFeed(own_redis.store)
    parts, compute = fresh_parts(), Counted()
    writing = IntCache(feed=writer)
    reading = IntCache(writing.cache.name, feed=reader)
    assert reading.get_or_compute(parts, compute, depends_on=NAMES) == 1
    own_redis.freeze()
    writer.publish(NAMES)
    assert writing.get_or_compute(parts, lambda: -1, depends_on=NAMES) == -1
    own_redis.thaw()
    own_redis.let_circuit_try()
    wait_until(lambda: not writer.is_behind(NAMES))
    writer.stop()
    assert reading.get_or_compute(parts, compute, depends_on=NAMES) == 2
    assert writing.get_or_compute(parts, compute, depends_on=NAMES) in {2, 3}


def test_a_process_that_saw_redis_away_gives_up_what_it_knew(
    own_redis: OwnRedis,
) -> None:
    cache = IntCache(feed=ChangeFeed(own_redis.store))
    parts, compute = fresh_parts(), Counted()
    assert cache.get_or_compute(parts, compute, depends_on=NAMES) == 1
    own_redis.freeze()
    assert cache.get_or_compute(parts, compute, depends_on=NAMES) == 2
    own_redis.thaw()
    own_redis.let_circuit_try()
    found = [cache.get_or_compute(parts, compute, depends_on=NAMES) for _ in range(2)]
    assert found == [3, 3]
