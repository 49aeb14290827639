"""What is read from the database once is given until a change is published."""

import itertools
from collections.abc import Callable, Generator

import pytest
from django.db import DatabaseError, transaction

from perf.cache import remembered
from perf.cache.change_feed import ChangeFeed
from perf.cache.remembered import AT_HAND_ONLY, NotAtHandError, Remembered
from tests.support.edge_harness import running_feed, some_name

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., Remembered[str, int]]


@pytest.fixture
def feed() -> Generator[ChangeFeed]:
    with running_feed() as feed:
        yield feed


@pytest.fixture
def make(feed: ChangeFeed) -> Make:
    """Make one that gives the number of the read."""

    def make(
        read: Callable[[str], int] | None = None, max_values: int = 10
    ) -> Remembered[str, int]:
        numbers = itertools.count(1)
        return Remembered(
            "of_a_test",
            read=read or (lambda _: next(numbers)),
            names_of=lambda key: {key},
            max_values=max_values,
            feed=feed,
        )

    return make


def test_it_is_read_once_until_its_own_name_is_published(
    make: Make, feed: ChangeFeed
) -> None:
    values, name, other = make(), some_name(), some_name()
    assert [values.get(name), values.get(name), values.get(other)] == [1, 1, 2]
    feed.publish([other])
    assert values.get(name) == 1
    feed.publish([name])
    assert [values.get(name), values.get(name)] == [3, 3]


def test_what_was_read_before_a_change_is_given_once(feed: ChangeFeed) -> None:
    name = some_name()
    numbers = itertools.count(1)

    def read(key: str) -> int:
        number = next(numbers)
        if number == 1:
            feed.publish([key])
        return number

    values = Remembered(
        "of_a_test", read=read, names_of=lambda key: {key}, max_values=9, feed=feed
    )
    assert [values.get(name), values.get(name), values.get(name)] == [1, 2, 2]


def test_without_the_feed_it_may_not_be_used(make: Make, feed: ChangeFeed) -> None:
    values = make()
    assert values.is_usable
    feed.stop()
    assert not values.is_usable


def test_within_a_transaction_it_may_not_be_used(make: Make) -> None:
    values = make()
    with transaction.atomic():
        assert not values.is_usable
    assert values.is_usable


def test_nothing_is_read_where_only_what_is_at_hand_may_be_given(make: Make) -> None:
    values, name = make(), some_name()
    with AT_HAND_ONLY, pytest.raises(NotAtHandError):
        values.get(name)
    assert values.get(name) == 1
    with AT_HAND_ONLY:
        assert values.get(name) == 1


def test_the_last_value_is_given_while_the_database_is_away(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = itertools.count(1)

    def read(_: str) -> int:
        if (number := next(numbers)) > 1:
            raise DatabaseError
        return number

    values, name = make(read), some_name()
    monkeypatch.setattr(remembered, "REREAD_S", 0.0)
    assert [values.get(name), values.get(name)] == [1, 1]
    with pytest.raises(DatabaseError):
        values.get(some_name())


def test_the_least_recently_used_is_forgotten(make: Make) -> None:
    values, names = make(max_values=2), [some_name() for _ in range(3)]
    assert [values.get(name) for name in names] == [1, 2, 3]
    assert [values.get(names[2]), values.get(names[0])] == [3, 4]


def test_a_change_of_something_else_meanwhile_does_not_count(feed: ChangeFeed) -> None:
    name, other = some_name(), some_name()
    numbers = itertools.count(1)

    def read(_: str) -> int:
        feed.publish([other])
        return next(numbers)

    values = Remembered(
        "of_a_test", read=read, names_of=lambda key: {key}, max_values=9, feed=feed
    )
    assert [values.get(name), values.get(name)] == [1, 1]


def test_once_all_is_forgotten_everything_counts_as_changed(feed: ChangeFeed) -> None:
    numbers = itertools.count(1)

    def read(_: str) -> int:
        if (number := next(numbers)) == 1:
            feed.copies.clear()
        return number

    values = Remembered(
        "of_a_test", read=read, names_of=lambda key: {key}, max_values=9, feed=feed
    )
    name = some_name()
    assert [values.get(name), values.get(name), values.get(name)] == [1, 2, 2]
