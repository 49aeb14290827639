import pytest

from perf.cache.tallies import Outcome
from perf.cache.versions import Versions
from tests.perf.cache.conftest import OwnRedis
from tests.perf.cache.keeping import Counted, count_of, fresh_parts, int_cache
from tests.perf.waiting import wait_until

NAMES = ["events:chicago"]


@pytest.mark.parametrize("failure", ["killed", "frozen"])
def test_without_redis_values_are_computed(own_redis: OwnRedis, failure: str) -> None:
    versions = Versions(own_redis.store)
    cache = int_cache(store=own_redis.store, versions=versions)
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
    assert count_of(cache, Outcome.UNAVAILABLE) == 20
    if failure == "frozen":
        own_redis.thaw()


def test_redis_that_goes_away_during_a_computation_loses_nothing(
    own_redis: OwnRedis,
) -> None:
    cache = int_cache(store=own_redis.store)
    compute = Counted(meanwhile=lambda: own_redis.server.stop(timeout_s=0))
    assert cache.get_or_compute(fresh_parts(), compute) == 1


def test_a_process_that_could_not_say_what_it_changed_says_so_afterwards(
    own_redis: OwnRedis,
) -> None:
    writer, reader = Versions(own_redis.store), Versions(own_redis.store)
    before = reader.current(NAMES)
    own_redis.freeze()
    writer.renew(NAMES)
    assert writer.current(NAMES) is None
    own_redis.thaw()
    own_redis.let_circuit_try()
    wait_until(lambda: not writer.is_in_doubt)
    assert reader.current(NAMES) != before


def test_a_process_that_saw_redis_away_gives_up_what_it_knew(
    own_redis: OwnRedis,
) -> None:
    versions = Versions(own_redis.store)
    before = versions.current(NAMES)
    own_redis.freeze()
    assert versions.current(NAMES) is None
    own_redis.thaw()
    own_redis.let_circuit_try()
    after = versions.current(NAMES)
    assert after not in {None, before}
    assert versions.current(NAMES) == after
