"""Reports by the API and by the command, with the same rows."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import orjson
import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test.utils import CaptureQueriesContext

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from tests.analytics.api.reading import CHICAGO, Ask, make_reader

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("two_events"),
]
START = datetime(2026, 1, 1, 7, tzinfo=UTC)
CELL = h3.latlng_to_cell(41.8, -87.6, 8)
PLACE = {"cell_id": str(CELL), "cell_hex": f"{CELL:x}"}
ROWS: dict[str, list[dict[str, Any]]] = {
    "hourly-counts": [
        {"hour": "2026-01-01T07:00:00Z", "event_type": "theft", "count": 1},
        {"hour": "2026-01-01T08:00:00Z", "event_type": "theft", "count": 1},
    ],
    "top-cells": [{**PLACE, "count": 2}],
    "trend": [{"day": "2026-01-01", "count": 2, "count_year_before": 0}],
    "severity-quantiles": [
        {
            "event_type": "theft",
            "count": 2,
            "severity_count": 0,
            "severity_mean": None,
            "q50": None,
            "q90": None,
            "q99": None,
        }
    ],
    "neighbourhood-counts": [{**PLACE, "count": 2, "neighbourhood_count": 2}],
}
DAYS = "from=2026-01-01&to=2026-01-03"


@pytest.fixture
def two_events(empty_event_table: None, two_regions: None) -> None:
    first_ms = int(START.timestamp()) * 1_000
    events = EventColumns(
        occurred_ms=np.array([first_ms, first_ms + 3_600_000]),
        lat=np.full(2, 41.8),
        lon=np.full(2, -87.6),
        event_type="theft",
    )
    store_events(events, grid=CHICAGO, source="city", now=START + timedelta(days=1))


@pytest.fixture
def ask(db: None) -> Ask:
    return make_reader("reports")


@pytest.mark.parametrize("name", sorted(ROWS))
def test_api_answers_with_rows(ask: Ask, name: str) -> None:
    query = f"region=chicago&from=2026-01-01&to=2026-01-03&cells={CELL:x}"

    response = ask(f"/{name}?{query}")

    assert orjson.loads(response.content) == {
        "report": name,
        "region": "chicago",
        "from": "2026-01-01",
        "to": "2026-01-03",
        "rows": ROWS[name],
    }
    assert response["ETag"]


def test_api_names_the_reports(ask: Ask) -> None:
    listed = orjson.loads(ask("").content)["results"]

    assert {report["name"] for report in listed} == set(ROWS)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/all?region=chicago&from=2026-01-01&to=2026-01-03", 404, "unknown_report"),
        ("/trend?region=rome&from=2026-01-01&to=2026-01-03", 404, "region_not_found"),
        ("/trend?region=chicago&from=2026-01-01", 422, "invalid_input"),
        (
            "/trend?region=chicago&from=2020-01-01&to=2026-01-03",
            422,
            "report_window_invalid",
        ),
        (
            f"/neighbourhood-counts?region=chicago&{DAYS}&cells=1,2",
            422,
            "invalid_input",
        ),
    ],
)
def test_wrong_questions_are_problems(
    ask: Ask, path: str, status: int, code: str
) -> None:
    response = ask(path)

    problem = orjson.loads(response.content)
    assert (response.status_code, problem["code"]) == (status, code)


def test_a_report_costs_two_queries_and_nothing_the_second_time(ask: Ask) -> None:
    path = "/top-cells?region=chicago&from=2026-01-01&to=2026-01-03"

    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connections["clickhouse"]) as queries:
            ask(path)
        counts.append(len(queries))

    # One asks which years are rolled up, one asks the question.
    assert counts == [2, 0]


@pytest.mark.parametrize("name", sorted(ROWS))
def test_command_gives_the_same_rows_as_json(name: str) -> None:
    out = StringIO()

    call_command(
        "event_report",
        name,
        "--region=chicago",
        "--from=2026-01-01",
        "--to=2026-01-03",
        f"--cells={CELL}",
        "--json",
        stdout=out,
    )

    assert orjson.loads(out.getvalue()) == ROWS[name]


def test_command_draws_a_table() -> None:
    out = StringIO()
    window = ("--region=chicago", "--from=2026-01-01", "--to=2026-01-03")

    call_command("event_report", "severity-quantiles", *window, stdout=out)

    heading, row = out.getvalue().splitlines()
    assert heading.split()[:3] == ["event_type", "count", "severity_count"]
    assert row.split() == ["theft", "2", "0", "-", "-", "-", "-"]


def test_command_says_when_there_is_nothing() -> None:
    out = StringIO()

    call_command("event_report", "trend", "--region=rome", stdout=out)

    assert out.getvalue() == "No events.\n"


def test_command_refuses_what_the_report_refuses() -> None:
    with pytest.raises(CommandError, match="needs cells"):
        call_command("event_report", "neighbourhood-counts", "--region=chicago")
