"""Debian's Prometheus reads a running platform: sums are right, and queries answer."""

import json
import re
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from perf.monitoring.described import all_dashboards
from perf.monitoring.rules import REMAINING
from perf.slo.objectives import all_objectives
from perf.slo.sources import Prometheus
from riskplatform.kernel import metrics_files
from tests.attacks.ordinary_requests import MAP, assess, probe
from tests.perf.monitoring.prometheus_server import (
    PROMETHEUS,
    metrics_server,
    prometheus_reading,
    running,
)
from tests.support.event_payloads import make_event
from tests.support.factories import CENTRE
from tests.support.waiting import wait_until
from tests.support.webs import Platform, Web

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        PROMETHEUS is None, reason="Prometheus is not installed (make setup-extras)"
    ),
]
ROUNDS = 5
WITHIN_S = 60.0
# The worker looks at forecasts once a minute, Prometheus at gauges once a minute.
GAUGES_WITHIN_S = 180.0
# What a short load of this platform has nothing of: faults, and work that is rare.
NOT_MEASURED = frozenset(
    {"alert-delivery-p95", "calibration", "number-tests", "realtime-delivery-p99"}
)
RARE = re.compile(
    r"_(failures|errors|retries|evictions|exhausted|reconnects|throttled|shed|slow_bodies"
    r"|retried|hedged|exceptions|refused|switches|parked|exported)_"
    r"|perf_realtime_|analytics_(events|rollup)_|perf_feed_change_|perf_job_seconds|perf_jobs_finished"
    r'|scoring_(fit|webhook|alert|forecasts|number_test|calibration)|process="realtime"'
    r'|outcome="failed"'
)
PRIVATE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-|rp_[a-z0-9]{8}|/api/v1/|\b88[0-9a-f]{13}"
)


@dataclass(frozen=True, slots=True)
class Watched:
    """A platform that has had some requests, and the Prometheus that watches it."""

    url: str
    platform: Platform
    worker: "subprocess.Popen[bytes]"

    def ask(self, expr: str) -> list[tuple[Any, float]]:
        return Prometheus(self.url).query(expr)

    def value(self, expr: str) -> float:
        return sum(value for _, value in self.ask(expr))


@pytest.fixture(scope="module")
def watched(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Watched]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("prometheus")
        # Other processes of the platform may run, and no new forecast is to be made.
        own = {
            metrics_files.VARIABLE: str(folder / "metrics"),
            "FORECAST_REFRESH_S": "0",
        }
        port = stack.enter_context(metrics_server({**platform.env, **own}))
        webs = stack.enter_context(platform.webs(2, threads=8, **own))
        command = (sys.executable, "manage.py", "run_worker")
        worker = stack.enter_context(running(*command, env={**platform.env, **own}))
        url = stack.enter_context(prometheus_reading(port, folder))
        found = Watched(url, platform, worker)
        # Read before anything happens, so that what happens is an increase.
        wait_until(
            lambda: found.value("riskplatform_processes") == 3, within_s=WITHIN_S
        )
        for number, web in enumerate(webs):
            web.wait_live()
            load(web, platform, number)
        yield found


def load(web: Web, platform: Platform, number: int) -> None:
    """Ask for what has objectives, and post an event that the worker ships."""
    [key, *_], [portfolio, *_] = platform.keys("acme"), platform.portfolios("acme")
    for _ in range(ROUNDS):
        assert web.ask("GET", MAP).status == 200
        assert assess(web, platform) == 200
        for path in (
            f"dashboard/{portfolio}?timeframe=24h",
            "features/snapshot?region=chicago&time=2024-01-01T12:00:00Z",
            "metrics?limit=5",
        ):
            assert web.ask("GET", path, key=key).status == 200
    assert post_event(web, key, number)["accepted"] == 1
    assert probe(web, "live") == probe(web, "ready") == 200


def post_event(web: Web, key: str, number: int) -> dict[str, Any]:
    with closing(web.connect()) as connection:
        headers = {
            "Host": "localhost",
            "Content-Type": "application/json",
            "Authorization": f"Bearer {key}",
        }
        lat, lon = CENTRE
        body = json.dumps([make_event(number, lat=lat, lon=lon)])
        connection.request("POST", "/api/v1/events", body, headers)
        said: dict[str, Any] = json.loads(connection.getresponse().read())
        return said


def dashboard_queries() -> Iterable[str]:
    for dashboard in all_dashboards():
        for panel in dashboard.panels:
            yield from (query.expr for query in panel.queries)


def test_what_two_web_processes_counted_adds_up(watched: Watched) -> None:
    answered = 'perf_requests_total{route="risk-map",outcome="answered"}'
    wait_until(
        lambda: watched.value(answered) >= 2 * ROUNDS, within_s=WITHIN_S, what=answered
    )
    assert watched.value(answered) == 2 * ROUNDS
    times = 'perf_request_seconds_count{route="assess"}'
    assert watched.value(times) == 2 * ROUNDS
    processes = watched.ask("riskplatform_processes")
    assert {labels["process"]: count for labels, count in processes} == {
        "web": 2,
        "worker": 1,
    }


def test_labels_name_routes_and_nobody(watched: Watched) -> None:
    labels = [labels for labels, _ in watched.ask('{job="riskplatform"}')]
    assert len(labels) > 500
    text = json.dumps(labels)
    assert PRIVATE.findall(text) == []
    assert "acme" not in text


def test_every_query_of_a_dashboard_answers_but_those_of_what_is_rare(
    watched: Watched,
) -> None:
    def empty() -> list[str]:
        return [
            expr
            for expr in dashboard_queries()
            if not RARE.search(expr) and not watched.ask(expr)
        ]

    with suppress(AssertionError):
        wait_until(lambda: not empty(), within_s=GAUGES_WITHIN_S)
    assert empty() == []
    for expr in dashboard_queries():
        watched.ask(expr)


def test_what_is_left_of_each_budget_is_recorded(watched: Watched) -> None:
    wanted = {each.name for each in all_objectives()} - NOT_MEASURED

    def missing() -> set[str]:
        return wanted - {labels["slo"] for labels, _ in watched.ask(REMAINING)}

    wait_until(lambda: not missing(), within_s=GAUGES_WITHIN_S, what="all budgets")


def test_the_command_judges_by_it(watched: Watched) -> None:
    said = StringIO()
    options = ("--only", "request-errors", "--only", "availability")
    call_command(
        "check_slo", "--prometheus", watched.url, *options, "--json", stdout=said
    )
    verdicts = json.loads(said.getvalue())["verdicts"]
    routes = {each["labels"].get("route") for each in verdicts}
    assert {"assess", "risk-map", "dashboard", "health", None} <= routes
    assert {each["state"] for each in verdicts} == {"met"}


def test_a_worker_that_is_gone_is_noticed_and_its_counts_stay(watched: Watched) -> None:
    counts = "sum(django_db_execute_total)"
    before = watched.value(counts)
    assert before > 0
    watched.worker.kill()
    pending = 'ALERTS{alertname="WorkerMissing",alertstate="pending"}'
    wait_until(lambda: watched.ask(pending), within_s=WITHIN_S, what=pending)
    assert watched.value(counts) >= before
