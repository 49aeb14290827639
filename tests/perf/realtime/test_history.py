"""Streams in Redis: offsets without a gap, and an epoch that tells of a loss."""

import uuid
from collections.abc import AsyncGenerator

import pytest
from django.conf import settings
from redis.asyncio import Redis

from perf.realtime import history as module
from perf.realtime.history import History, Position
from perf.shared_store import store

HISTORY = History(prefix="test-history:")


@pytest.fixture
async def redis() -> AsyncGenerator[Redis]:
    client = Redis.from_url(settings.REDIS_URL)
    yield client
    await client.aclose()


@pytest.fixture
def group() -> str:
    return f"group-{uuid.uuid4()}"


def publish(group: str, *texts: str) -> Position:
    return HISTORY.publish(
        group, [(text, b'{"n":"%b"}' % text.encode()) for text in texts]
    )


async def test_messages_come_back_in_order_with_their_offsets(
    redis: Redis, group: str
) -> None:
    begin = (await HISTORY.read(redis, group, None)).head
    head = publish(group, "a", "b")
    assert publish(group, "c") == Position(head.epoch, 3)
    reading = await HISTORY.read(redis, group, begin)
    assert [entry.position.offset for entry in reading.entries] == [1, 2, 3]
    assert reading.entries[2].frame() == (
        b'{"epoch":"%b","offset":3,"n":"c"}' % head.epoch.encode()
    )
    assert reading.is_whole


async def test_what_a_client_has_is_not_given_again(redis: Redis, group: str) -> None:
    head = publish(group, "a", "b")
    reading = await HISTORY.read(redis, group, head)
    assert (reading.entries, reading.is_whole) == ([], True)


async def test_a_message_that_is_sent_again_is_taken_once(
    redis: Redis, group: str
) -> None:
    head = publish(group, "a", "b")
    assert publish(group, "b", "a") == head


async def test_a_stream_that_was_lost_has_another_epoch(
    redis: Redis, group: str
) -> None:
    before = publish(group, "a")
    head, entries = HISTORY._keys(group)
    await redis.delete(head, entries)
    after = publish(group, "b")
    reading = await HISTORY.read(redis, group, before)
    assert (after.offset, reading.is_whole) == (1, False)
    assert after.epoch != before.epoch


async def test_a_restart_of_redis_begins_an_epoch(redis: Redis, group: str) -> None:
    before = publish(group, "a")
    # What a restart from a copy on disk leaves: all is there, of another run.
    await redis.hset(HISTORY._keys(group)[0], "run", "0" * 40)
    reading = await HISTORY.read(redis, group, before)
    assert not reading.is_whole
    assert reading.head.epoch != before.epoch


async def test_more_missed_than_is_kept_is_not_whole(
    redis: Redis, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 2)
    first = publish(group, "a")
    publish(group, "b", "c")
    assert (await HISTORY.read(redis, group, first)).is_whole
    publish(group, "d")
    assert not (await HISTORY.read(redis, group, first)).is_whole


async def test_an_offset_of_the_future_is_not_whole(redis: Redis, group: str) -> None:
    head = publish(group, "a")
    ahead = Position(head.epoch, 9)
    assert not (await HISTORY.read(redis, group, ahead)).is_whole


def test_groups_do_not_stay_for_ever(group: str) -> None:
    publish(group, "a")
    keys = HISTORY._keys(group)
    for left_s in store.run(lambda redis: [redis.ttl(key) for key in keys]):
        assert 0 < left_s <= module.RETENTION_S


@pytest.mark.parametrize(
    "text", ["", "1", "abcdefab:", "abcdefab:-1", "xyz:1", "a:1\n"]
)
def test_only_positions_are_positions(text: str) -> None:
    assert Position.parse(text) is None


def test_a_position_is_read_as_it_is_written() -> None:
    assert Position.parse("0123456789abcdef:12") == Position("0123456789abcdef", 12)
    assert str(Position("0123456789abcdef", 12)) == "0123456789abcdef:12"
