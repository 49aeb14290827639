"""Events are shipped by the worker, and by `manage.py ship_events --once`."""

import signal
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from prometheus_client import REGISTRY

from analytics.errors import EventStoreUnavailableError
from analytics.inbox.backlog import measure_backlog
from analytics.models import IngestBatch
from tests.support.event_payloads import make_event, make_events, stored
from tests.support.one_region import Post
from tests.support.processes import start_python

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"], transaction=True),
    pytest.mark.usefixtures("empty_store"),
    pytest.mark.databases,
]
TIMEOUT_S = 60.0
WORK = 'from django.core.management import call_command\ncall_command("run_worker")'


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_once_ships_what_is_due_and_says_so(post: Post) -> None:
    post(make_events(3))
    out = StringIO()

    call_command("ship_events", once=True, stdout=out)

    assert out.getvalue() == "3 events shipped in 1 inserts, 0 parked.\n"
    assert len(stored()) == 3


def test_once_fails_when_something_stays_waiting(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(make_events(3))

    def refuse(*_: object, **__: object) -> None:
        raise EventStoreUnavailableError("ClickHouse does not answer.")

    monkeypatch.setattr("analytics.shipping.delivery.insert_columns", refuse)

    with pytest.raises(CommandError, match="it stays waiting"):
        call_command("ship_events", once=True, stdout=StringIO())


def test_the_worker_ships_what_is_due_once(post: Post) -> None:
    post(make_events(3))

    call_command("run_worker", once=True, stdout=StringIO())

    assert len(stored()) == 3


def test_the_worker_ships_what_comes_and_ends_when_asked(post: Post) -> None:
    worker = start_python(WORK)
    try:
        post([make_event(0)])
        deadline_s = time.monotonic() + TIMEOUT_S
        while IngestBatch.objects.waiting().exists():
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
    finally:
        worker.send_signal(signal.SIGTERM)

    assert worker.wait(30) == 0
    assert stored() == [("e0",)]


def test_the_metrics_count_what_was_committed(post: Post) -> None:
    names = ("accepted", "duplicate", "refused")
    counter = "analytics_inbox_events_total"
    before = [metric(counter, outcome=name) for name in names]

    post([make_event(0), make_event(0), make_event(1, lat=99)])

    after = [metric(counter, outcome=name) for name in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1]
    measure_backlog()
    assert metric("analytics_inbox_backlog_events") == 1
    assert metric("analytics_inbox_parked_events") == 0
    shipped = metric("analytics_shipped_events_total", outcome="stored")
    call_command("ship_events", once=True, stdout=StringIO())
    assert metric("analytics_inbox_backlog_events") == 0
    assert metric("analytics_shipped_events_total", outcome="stored") == shipped + 1
