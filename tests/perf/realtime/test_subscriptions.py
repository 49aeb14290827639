"""What waits for one socket is bounded."""

import pytest

from perf.realtime import subscriptions
from perf.realtime.closing import SocketClosedError
from perf.realtime.history import Entry, Position
from perf.realtime.subscriptions import Subscription

EPOCH = "0123456789abcdef"


def entry(offset: int, size: int = 2) -> Entry:
    return Entry(Position(EPOCH, offset), b"x" * size)


def subscribed(*, is_state: bool, after: int = 0) -> Subscription:
    subscription = Subscription(route="test", is_state=is_state)
    subscription.begin(Position(EPOCH, after))
    return subscription


async def offsets(subscription: Subscription) -> list[int]:
    found = []
    while (got := await subscription.next(within_s=0.0)) is not None:
        found.append(got.position.offset)
    return found


async def test_entries_come_in_order() -> None:
    subscription = subscribed(is_state=False)
    for offset in (1, 2, 3):
        subscription.offer(entry(offset))
    assert await offsets(subscription) == [1, 2, 3]


async def test_what_came_while_it_joined_follows_what_it_missed() -> None:
    subscription = Subscription(route="test", is_state=False)
    for offset in (3, 4, 5):
        subscription.offer(entry(offset))
    subscription.begin(Position(EPOCH, 4), [entry(2), entry(3), entry(4)])
    assert await offsets(subscription) == [2, 3, 4, 5]


async def test_a_client_that_does_not_read_is_ended() -> None:
    subscription = subscribed(is_state=False)
    for offset in range(1, subscriptions.MAX_WAITING + 2):
        subscription.offer(entry(offset))
    with pytest.raises(SocketClosedError, match="read faster") as ended:
        await subscription.next()
    assert ended.value.code == 4429


async def test_large_messages_fill_it_sooner() -> None:
    subscription = subscribed(is_state=False)
    subscription.offer(entry(1, subscriptions.MAX_BYTES))
    subscription.raise_if_ended()
    subscription.offer(entry(2, 1))
    with pytest.raises(SocketClosedError):
        subscription.raise_if_ended()


async def test_a_newer_state_replaces_older_ones() -> None:
    subscription = subscribed(is_state=True)
    for offset in range(1, 10 * subscriptions.MAX_WAITING):
        subscription.offer(entry(offset))
    assert len(subscription._waiting) <= subscriptions.MAX_WAITING
    assert await offsets(subscription) == [10 * subscriptions.MAX_WAITING - 1]


async def test_what_waits_at_the_end_is_not_sent() -> None:
    subscription = subscribed(is_state=False)
    subscription.offer(entry(1))
    subscription.close(SocketClosedError(1012, "reconnect"))
    subscription.close(SocketClosedError(4401, "too late to say so"))
    with pytest.raises(SocketClosedError, match="reconnect"):
        await subscription.next()
