"""The commit comes first, the message after it, and none is lost between them."""

import threading
import uuid
from collections.abc import Generator
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.db import connection, transaction
from redis import Redis

from perf.circuit_breaker import CircuitBreaker
from perf.realtime import announcements
from perf.realtime.announcements import announce, send_waiting
from perf.realtime.history import History
from perf.realtime.history import history as product_history
from perf.realtime.models import Announcement
from perf.shared_store import SharedStore, store

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def group() -> str:
    return f"group-{uuid.uuid4()}"


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Generator[pytest.MonkeyPatch]:
    """Have Redis be where nothing listens."""
    nowhere = SharedStore(
        lambda: Redis(port=1, socket_connect_timeout=0.1), circuit=CircuitBreaker()
    )
    with monkeypatch.context() as patch:
        patch.setattr(announcements, "history", History(nowhere))
        yield patch


def messages(*numbers: int) -> list[tuple[UUID, bytes]]:
    return [(uuid.uuid4(), msgspec.json.encode({"n": number})) for number in numbers]


def sent(group: str) -> list[int]:
    """Read the stream from its begin."""
    key = product_history._keys(group)[1]
    rows: Any = store.run(lambda redis: redis.xrange(key))
    return [msgspec.json.decode(fields[b"b"])["n"] for _, fields in rows]


def test_a_message_leaves_after_the_commit(group: str) -> None:
    with transaction.atomic():
        announce(group, messages(1, 2))
        assert sent(group) == []
    assert sent(group) == [1, 2]
    assert not Announcement.objects.exists()


def test_what_is_rolled_back_is_not_told(group: str) -> None:
    with transaction.atomic():
        announce(group, messages(1))
        transaction.set_rollback(True)
    assert send_waiting() == 0
    assert sent(group) == []


def test_a_process_that_dies_after_the_commit_loses_nothing(
    group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        # What is left of a process killed at the commit: its rows.
        patch.setattr(announcements, "_send_after_commit", lambda group: None)
        announce(group, messages(1))
        announce(group, messages(2))
    assert send_waiting() == 2
    assert sent(group) == [1, 2]
    assert send_waiting() == 0


def test_a_process_that_dies_before_it_notes_the_sending_repeats_nothing(
    group: str,
) -> None:
    told = messages(1, 2)
    product_history.publish(group, [(str(key), body) for key, body in told])
    announce(group, told)
    assert sent(group) == [1, 2]


def test_without_redis_the_write_stands_and_is_told_later(
    group: str, away: pytest.MonkeyPatch
) -> None:
    announce(group, messages(1))
    assert send_waiting() == 0
    assert Announcement.objects.count() == 1
    away.undo()
    announce(group, messages(2))
    assert sent(group) == [1, 2]


def test_processes_that_send_at_once_keep_the_order(group: str) -> None:
    def write(first: int) -> None:
        try:
            for number in range(first, first + 20):
                announce(group, messages(number))
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(n,)) for n in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    send_waiting()
    told = sent(group)
    assert len(told) == len(set(told)) == 60
    for first in (0, 100, 200):
        mine = [number for number in told if first <= number < first + 100]
        assert mine == sorted(mine)
