"""ClickHouse accepts connections and says nothing: only what needs it notices."""

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import orjson
import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test import RequestFactory

from analytics.errors import EventStoreUnavailableError
from analytics.inbox.receiving import BodyForm, receive_events
from analytics.inbox.validation import PostDefaults
from analytics.models import IngestBatch, Shipment
from analytics.shipping.shipper import ShippingReport, ship_due
from analytics.store.clickhouse import Budget, close_connection, fetch_rows
from analytics.store.clickhouse_pool.base import DatabaseWrapper
from analytics.store.clickhouse_pool.client import CONNECT_S, GRACE_S, PING_S
from perf.deadlines import deadline
from perf.limits.dispatching import Dispatching
from riskplatform.api.health import _write
from riskplatform.api.keys.services import issue_key
from riskplatform.api.probes import OK, Probe, states_of
from riskplatform.embedded.clickhouse_server import ClickHouseServer
from riskplatform.embedded.reaper import Reaper
from riskplatform.embedded.server import Site
from riskplatform.server_urls import clickhouse_database
from tests.support.detached import send
from tests.support.factories import make_organisation, make_region
from tests.support.hanging import hanging
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "clickhouse"]
)
# What a busy machine may add to any of the times below.
MARGIN_S = 6.0
READERS = 8
POSTS = 10
EVENT = {
    "occurred_at": "2024-01-01T00:00:00Z",
    "lat": 41.85,
    "lon": -87.68,
    "event_type": "x",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[ClickHouseServer]:
    reaper = Reaper()
    var = tmp_path_factory.mktemp("hung")
    site = Site(var=var, reaper=reaper, password="probe", durable=False)
    started = ClickHouseServer(site)
    started.start_and_wait()
    yield started
    started.stop()
    reaper.close()


@pytest.fixture
def pid(server: ClickHouseServer, monkeypatch: pytest.MonkeyPatch) -> Generator[int]:
    """Have threads begun from now on use the server; give its process."""
    database = connections.configure_settings(
        {"default": clickhouse_database(server.url)}
    )["default"]
    monkeypatch.setitem(connections.settings, "clickhouse", database)
    shared: dict[str, Any] = {}
    monkeypatch.setattr(DatabaseWrapper, "_clickhouse_connections", shared)
    assert server.pid is not None
    yield server.pid
    for _parameters, connection in shared.values():
        connection.close()


def in_a_thread(work: Any) -> Any:
    """Run it where no connection is kept from before the test."""

    def run() -> Any:
        try:
            return work()
        finally:
            close_connection()
            connections["default"].close()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(run).result()


def seconds_until_unavailable(budget: Budget, sql: str = "SELECT 1") -> float:
    started_s = time.monotonic()
    with pytest.raises(EventStoreUnavailableError):
        fetch_rows("test_hung", sql, budget=budget)
    return time.monotonic() - started_s


def test_a_query_waits_for_the_time_it_takes_to_notice(pid: int) -> None:
    def work() -> float:
        fetch_rows("test_hung", "SELECT 1")
        with hanging(pid):
            return seconds_until_unavailable(Budget(max_seconds=60))

    assert in_a_thread(work) < PING_S + CONNECT_S + MARGIN_S


def test_a_query_at_work_waits_for_its_budget(pid: int) -> None:
    endless = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"

    def work() -> float:
        budget = Budget(max_seconds=2, max_rows=10**13)
        return seconds_until_unavailable(budget, endless)

    with ThreadPoolExecutor(1) as threads:
        taken = threads.submit(in_a_thread, work)
        time.sleep(0.5)
        with hanging(pid):
            assert taken.result() < 2 + GRACE_S + MARGIN_S


def test_no_query_waits_longer_than_its_request(pid: int) -> None:
    def work() -> float:
        fetch_rows("test_hung", "SELECT 1")
        with hanging(pid), deadline(0.5):
            return seconds_until_unavailable(Budget(max_seconds=60))

    assert in_a_thread(work) < 0.5 + MARGIN_S


def test_it_is_left_alone_while_it_hangs_and_asked_again_afterwards(pid: int) -> None:
    def work() -> float:
        with hanging(pid):
            for _ in range(3):
                seconds_until_unavailable(Budget(max_seconds=60))
            taken_s = sum(
                seconds_until_unavailable(Budget(max_seconds=60)) for _ in range(50)
            )
        wait_until(_answers, within_s=20)
        return taken_s

    # Of the fifty one or two are let through, to see whether it is back.
    assert in_a_thread(work) < 2 * CONNECT_S + MARGIN_S


def _answers() -> bool:
    try:
        return fetch_rows("test_hung", "SELECT 1") == [(1,)]
    except EventStoreUnavailableError:
        return False


@pytest.mark.databases
def test_a_shipper_that_waits_for_it_holds_up_no_write(pid: int) -> None:
    region = make_region()
    receive_events(
        [orjson.dumps([EVENT | {"external_id": "e"}])],
        form=BodyForm(content_type="application/json"),
        organisation=make_organisation(),
        defaults=PostDefaults(source="test", region=region.slug),
    )
    probes = {"database": Probe(_write)}

    def ship() -> ShippingReport:
        report: ShippingReport = in_a_thread(ship_due)
        return report

    with ThreadPoolExecutor(1) as threads, hanging(pid):
        shipping = threads.submit(ship)
        wait_until(lambda: Shipment.objects.filter(attempts=1).exists())
        while not shipping.done():
            assert states_of(probes, within_s=20)["database"]["status"] == OK
        assert shipping.result().has_failed
    assert IngestBatch.objects.waiting().exists()


def test_events_are_accepted_while_readers_crowd_before_it(pid: int) -> None:
    region = make_region()
    key = issue_key(
        make_organisation(), name="test", scopes=["events:write", "scores:read"]
    ).text.text
    app = Dispatching(get_wsgi_application())
    is_over = Event()

    def read(number: int) -> None:
        limit = number
        while not is_over.wait(0.25):
            limit = limit % 900 + READERS
            query = f"region={region.slug}&from=2024-01-01&to=2024-02-01&limit={limit}"
            ask(app, f"/api/v1/reports/top-cells?{query}", key)

    def post(number: int) -> int:
        return ask(app, f"/api/v1/events?source=s&region={region.slug}", key, number)

    with ThreadPoolExecutor(READERS + 1) as threads, hanging(pid):
        for reader in range(READERS):
            threads.submit(read, reader + 1)
        numbers = iter(range(100_000))
        try:
            wait_until(
                lambda: all(
                    threads.submit(post, next(numbers)).result() == 202
                    for _ in range(POSTS)
                ),
                within_s=40,
            )
        finally:
            is_over.set()


def ask(app: Any, path: str, key: str, number: int | None = None) -> int:
    headers: Any = {
        "Authorization": f"Bearer {key}",
        "X-Request-Timeout": "5",
    }
    factory = RequestFactory(headers=headers)
    body = orjson.dumps([EVENT | {"external_id": f"e{number}"}])
    request = (
        factory.get(path)
        if number is None
        else factory.post(path, body, content_type="application/json")
    )
    environ = dict(request.environ)
    return send(app, environ.pop("PATH_INFO"), **environ).status
