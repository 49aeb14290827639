from uuid import uuid4

from django.db import transaction

from perf.cache.versions import Versions, _key, versions
from perf.shared_store import store
from riskplatform.kernel.changes import announce
from tests.perf.cache.keeping import Counted, fresh_parts, int_cache


def fresh_name() -> str:
    return f"test:{uuid4().hex}"


def test_a_version_stays_until_something_changes() -> None:
    name, other = fresh_name(), fresh_name()
    before = versions.current([name])
    assert before
    versions.renew([other])
    assert versions.current([name]) == before
    versions.renew([name])
    assert versions.current([name]) != before


def test_the_order_of_names_means_nothing() -> None:
    one, other = fresh_name(), fresh_name()
    assert versions.current([one, other]) == versions.current([other, one, one])


def test_every_process_reads_the_same_version() -> None:
    name = fresh_name()
    assert versions.current([name]) == Versions(store).current([name])


def test_a_version_that_was_evicted_comes_back_as_another() -> None:
    name = fresh_name()
    before = versions.current([name])
    store.run(lambda redis: redis.delete(_key(name)))
    assert versions.current([name]) != before


def test_everything_can_be_given_up() -> None:
    name = fresh_name()
    before = versions.current([name])
    versions.renew_all()
    assert versions.current([name]) != before


def test_a_version_that_cannot_be_made_keeps_nothing() -> None:
    name = fresh_name()
    store.run(lambda redis: redis.rpush(_key(name), b"a list"))
    assert versions.current([name]) is None
    versions.renew([name])
    assert versions.current([name])


def test_what_is_announced_is_computed_again(transactional_db: None) -> None:
    cache, parts, compute, name = int_cache(), fresh_parts(), Counted(), fresh_name()
    assert cache.get_or_compute(parts, compute, depends_on=[name]) == 1
    with transaction.atomic():
        announce(name)
        assert cache.get_or_compute(parts, compute, depends_on=[name]) == 1
    assert cache.get_or_compute(parts, compute, depends_on=[name]) == 2


def test_what_changes_during_a_computation_is_not_kept_as_current() -> None:
    name, parts, cache = fresh_name(), fresh_parts(), int_cache()
    compute = Counted(meanwhile=lambda: versions.renew([name]))
    assert cache.get_or_compute(parts, compute, depends_on=[name]) == 1
    assert cache.get_or_compute(parts, Counted(), depends_on=[name]) == 1
    assert cache.get_or_compute(parts, lambda: 9, depends_on=[name]) == 1
    versions.renew([name])
    assert cache.get_or_compute(parts, lambda: 9, depends_on=[name]) == 9
