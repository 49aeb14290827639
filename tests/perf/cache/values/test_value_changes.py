"""What a value depends on changes: it is not given any more."""

from uuid import uuid4

from django.db import transaction

from perf.cache.change_feed import ChangeFeed, feed
from perf.cache.store import KEYS
from perf.shared_store import store
from riskplatform.kernel.changes import publish_changes
from tests.perf.cache.keeping import Counted, IntCache, fresh_parts


def fresh_name() -> str:
    return f"test:{uuid4().hex}"


class Dependent:
    """A value that depends on names; `read` computes it where it has to."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.cache, self.parts, self.compute = IntCache(), fresh_parts(), Counted()

    def read(self) -> int:
        return self.cache.get_or_compute(
            self.parts, self.compute, depends_on=self.names
        )


def test_a_value_stays_until_something_changes_that_it_depends_on() -> None:
    value = Dependent(fresh_name(), fresh_name())
    assert [value.read() for _ in range(2)] == [1, 1]
    feed.publish([fresh_name()])
    assert value.read() == 1
    for number, name in enumerate(value.names, start=2):
        feed.publish([name])
        assert [value.read() for _ in range(2)] == [number, number]


def test_what_another_process_changes_is_computed_again() -> None:
    value = Dependent(fresh_name())
    assert value.read() == 1
    ChangeFeed(store).publish(value.names)
    assert value.read() == 2


def test_a_version_that_was_evicted_ends_the_value() -> None:
    value = Dependent(fresh_name())
    value.read()
    assert store.run(lambda redis: redis.delete(f"{KEYS}name:{value.names[0]}")) == 1
    assert value.read() == 2


def test_everything_that_depends_on_anything_can_be_given_up() -> None:
    value, of_nothing = Dependent(fresh_name()), Dependent()
    values = [value, of_nothing]
    assert [each.read() for each in values] == [1, 1]
    feed.clear_everywhere()
    assert [each.read() for each in values] == [2, 1]


def test_a_version_that_cannot_be_read_keeps_nothing() -> None:
    value = Dependent(fresh_name())
    store.run(lambda redis: redis.rpush(f"{KEYS}name:{value.names[0]}", b"a list"))
    assert [value.read() for _ in range(2)] == [1, 2]
    feed.publish(value.names)
    assert [value.read() for _ in range(2)] == [3, 3]


def test_what_is_published_is_computed_again(transactional_db: None) -> None:
    value = Dependent(fresh_name())
    assert value.read() == 1
    with transaction.atomic():
        publish_changes(*value.names)
        assert value.read() == 1
    assert value.read() == 2


def test_what_changes_during_a_computation_is_not_kept_as_current() -> None:
    name, parts, cache = fresh_name(), fresh_parts(), IntCache()
    compute = Counted(meanwhile=lambda: feed.publish([name]))
    assert cache.get_or_compute(parts, compute, depends_on=[name]) == 1
    assert cache.get_or_compute(parts, Counted(), depends_on=[name]) == 1
    assert cache.get_or_compute(parts, lambda: 9, depends_on=[name]) == 1
    feed.publish([name])
    assert cache.get_or_compute(parts, lambda: 9, depends_on=[name]) == 9


def test_who_knows_of_a_change_does_not_join_a_computation_from_before_it() -> None:
    value = Dependent(fresh_name())
    joined: list[int] = []

    def change_elsewhere() -> None:
        value.compute.meanwhile = lambda: None
        ChangeFeed(store).publish(value.names)

    value.compute.meanwhile = change_elsewhere
    run = value.cache.cache._single_flight.run

    def run_as_if_joined(*args: object, **options: object) -> object:
        result, _ = run(*args, **options)  # type: ignore[arg-type]
        return result, True

    object.__setattr__(value.cache.cache._single_flight, "run", run_as_if_joined)
    joined.append(value.read())
    assert joined == [2], "the first was from before the change"
