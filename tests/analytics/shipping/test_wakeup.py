"""What was accepted is shipped at a call, long before the shipper would look."""

import psycopg
import pytest
from django.db import connection

from analytics.inbox.acceptance import CHANNEL
from analytics.models import IngestBatch
from perf.jobs import wakeup
from tests.support.event_payloads import make_event, make_events, stored
from tests.support.one_region import Post
from tests.support.processes import database_urls, start_python
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"], transaction=True),
    pytest.mark.usefixtures("empty_store"),
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="only PostgreSQL can call"
    ),
]
TIMEOUT_S = 60.0
SHIP = """
import analytics.tasks
from perf.jobs import wakeup, worker
wakeup.POLL_S = 1e6
worker.Worker(threads=0).run()
"""


def test_a_call_comes_with_the_commit_and_not_with_a_refusal(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeup, "SILENT_FOR_S", 0.0)
    with psycopg.connect(database_urls()["DATABASE_URL"], autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")

        post([make_event(0, lat=99)])
        post([make_event(0)])
        post([make_event(0)])

        calls = list(listener.notifies(timeout=1, stop_after=1))
        assert [call.channel for call in calls] == [CHANNEL]
        assert list(listener.notifies(timeout=0.1)) == []


def test_a_shipper_that_never_looks_by_itself_is_called(post: Post) -> None:
    shipper = start_python(SHIP)
    try:
        for number in range(3):
            post(make_events(2, first=2 * number))
            wait_until_all_is_shipped()
    finally:
        shipper.kill()
        shipper.wait(30)

    assert len(stored()) == 6


def wait_until_all_is_shipped() -> None:
    wait_until(lambda: not IngestBatch.objects.waiting().exists(), within_s=TIMEOUT_S)
