"""ClickHouse and the shipper are killed in the middle: each event is there once."""

import os
import signal
from collections.abc import Generator
from pathlib import Path

import orjson
import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from analytics.inbox.receiving import BodyForm, receive_events
from analytics.inbox.validation import PostDefaults
from analytics.models import IngestBatch, Shipment
from riskplatform.api.keys.models import Organisation
from riskplatform.embedded.clickhouse_server import ClickHouseServer
from riskplatform.embedded.reaper import Reaper
from riskplatform.embedded.server import Site, stored_password
from tests.support.event_payloads import make_events
from tests.support.processes import start_python
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
]
TIMEOUT_S = 120.0
BATCH_ROWS = 500
MIGRATE = """
from django.core.management import call_command
call_command("migrate", "analytics", database="clickhouse", verbosity=0)
"""
# Small shipments, so that there is a middle to be killed in, and short leases, so
# that a dead shipper is succeeded within the patience of a test.
SHIP = """
from datetime import timedelta
import analytics.tasks
from analytics.models import Shipment
from analytics.shipping import shipments
from perf.jobs.worker import Worker
shipments.MAX_ROWS = 1_000
Shipment.lease = timedelta(seconds=3)
Shipment.longest_wait_s = 1.0
Worker(threads=0).run()
"""


@pytest.fixture
def store(tmp_path: Path) -> Generator[ClickHouseServer]:
    reaper = Reaper()
    site = Site(var=tmp_path / "var", reaper=reaper, password=stored_password(tmp_path))
    site.var.mkdir()
    server = ClickHouseServer(site)
    try:
        server.start_and_wait()
        yield server
    finally:
        server.stop()
        reaper.close()


@pytest.mark.parametrize(
    "event_count", [20_000, pytest.param(100_000, marks=pytest.mark.long)]
)
def test_each_event_is_there_exactly_once(
    store: ClickHouseServer, acme: Organisation, event_count: int
) -> None:
    assert start_python(MIGRATE, CLICKHOUSE_URL=store.url).wait(60) == 0
    accept(acme, event_count)
    shippers = [start_python(SHIP, CLICKHOUSE_URL=store.url)]
    try:
        wait_until(
            lambda: count_rows(store) > event_count // 5,
            within_s=TIMEOUT_S,
            what="some rows",
        )
        kill(store)
        store.start_and_wait()
        wait_until(
            lambda: count_rows(store) > event_count // 2,
            within_s=TIMEOUT_S,
            what="half the rows",
        )
        shippers[0].kill()
        shippers.append(start_python(SHIP, CLICKHOUSE_URL=store.url))
        wait_until(
            lambda: is_all_shipped(event_count), within_s=TIMEOUT_S, what="the end"
        )
    finally:
        for shipper in shippers:
            shipper.send_signal(signal.SIGTERM)
            shipper.wait(30)

    with Client.from_url(store.url) as client:
        ((rows, events),) = client.execute(
            "SELECT count(), uniqExact(external_id) FROM analytics_event FINAL"
        )
    assert (rows, events) == (event_count, event_count)
    assert count_rows(store) == event_count


def accept(organisation: Organisation, count: int) -> None:
    for first in range(0, count, BATCH_ROWS):
        receive_events(
            [orjson.dumps(make_events(BATCH_ROWS, first=first))],
            form=BodyForm(content_type="application/json"),
            organisation=organisation,
            defaults=PostDefaults(source="test"),
        )


def kill(store: ClickHouseServer) -> None:
    assert store.pid is not None
    os.kill(store.pid, signal.SIGKILL)
    store.stop(timeout_s=5)


def count_rows(store: ClickHouseServer) -> int:
    """Count what lies in the table, before any merge is made up for."""
    try:
        with Client.from_url(store.url) as client:
            ((count,),) = client.execute("SELECT count() FROM analytics_event")
            return int(count)
    except (Error, OSError, EOFError):
        return 0


def is_all_shipped(event_count: int) -> bool:
    shipped = Shipment.objects.exclude(state=Shipment.State.WAITING)
    return (
        not IngestBatch.objects.waiting().exists()
        and sum(shipped.values_list("row_count", flat=True)) == event_count
    )
