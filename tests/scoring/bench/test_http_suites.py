"""The suites that put real web processes under load, on little data."""

import os
from urllib.parse import urlsplit

import pytest
from django.db import connections

from perf.bench.registry import BuildMeasurements, Suite
from perf.bench.runner import Runner, SuiteRun
from riskplatform.api.keys.models import Organisation
from scoring.bench.misses import misses
from scoring.bench.web import cache, http
from scoring.models import Region

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]
VARIABLES = {"DATABASE_URL": "default", "CLICKHOUSE_URL": "clickhouse"}
FIGURES = ("throughput", "p50", "p95", "p99")


@pytest.fixture(autouse=True)
def _shared_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the web processes read the databases of the test."""
    for variable, alias in VARIABLES.items():
        name = connections[alias].settings_dict["NAME"]
        parts = urlsplit(os.environ[variable])
        url = f"{parts.scheme}://{parts.netloc}/{name}"
        monkeypatch.setenv(variable, f"{url}?{parts.query}" if parts.query else url)


@pytest.mark.databases
def test_the_http_suite_compares_answers_and_figures() -> None:
    run = run_quickly(http)
    assert run.failures == []
    titles = [row.name.partition(" (")[0] for row in run.rows]
    assert titles == [
        *["mix, 100 connections"] * 4,
        *["assess, 100 connections"] * 4,
        *["risk map, 100 connections"] * 4,
        "assess, a question never asked before",
    ]
    assert [row.name.rpartition(": ")[2] for row in run.rows[:4]] == [*FIGURES]
    assert all(row.before and row.after for row in run.rows)
    assert nothing_is_left()


def test_the_cache_suite_compares_answers_and_figures() -> None:
    run = run_quickly(cache)
    assert run.failures == []
    assert [row.name.partition(" (")[0] for row in run.rows] == [
        "dashboard, cold",
        "dashboard, warm",
        *["cached assess against a bare function, 100 connections"] * 4,
    ]
    assert nothing_is_left()


def test_the_misses_suite_gives_the_figures_of_other_services() -> None:
    run = run_quickly(misses)
    assert run.failures == []
    assert [row.name.partition(",")[0] for row in run.rows] == [
        *[
            "score 20 cells",
            "score 500 cells",
            "risk map as JSON",
            "risk map as GeoJSON",
        ]
        * 2,
        *["score 20 cells"] * 2,
        "score 20 cells with features of their own",
        "assess",
        "list of portfolios",
    ]
    assert nothing_is_left()


def run_quickly(build: BuildMeasurements) -> SuiteRun:
    runner = Runner(say=lambda _line: None, repeats=1, is_quick=True)
    return runner.run(Suite(name="tiny", build=build))


def nothing_is_left() -> bool:
    return not (Organisation.objects.exists() or Region.objects.exists())
