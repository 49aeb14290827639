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
        "note": None,
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
        ("/trend?region=chicago&from=20260101", 422, "invalid_input"),
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

    assert out.getvalue().startswith("There is no event from ")
    assert out.getvalue().endswith("nor at any other time.\n")


def test_command_refuses_what_the_report_refuses() -> None:
    with pytest.raises(CommandError, match="needs cells"):
        call_command("event_report", "neighbourhood-counts", "--region=chicago")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-01-01", "2026-01-02"),
        ("2026-01-01T07:00:00Z", "2026-01-01T07:30:00Z"),
        ("2026-01-01T01:00:00%2B01:00", "2026-01-02T01:00:00%2B01:00"),
    ],
)
def test_days_and_times_bound_a_report_and_a_list_alike(start: str, end: str) -> None:
    ask = make_reader("")
    answer = orjson.loads(
        ask(f"reports/trend?region=chicago&from={start}&to={end}").content
    )
    assert (answer["from"], answer["to"]) == ("2026-01-01", "2026-01-02")
    assert answer["rows"] == ROWS["trend"]
    listed = ask(f"events?region=chicago&from={start}&to={end}")
    assert orjson.loads(listed.content)["results"]


def test_an_empty_window_that_nobody_named_says_where_the_newest_event_is(
    time_machine: Any,
) -> None:
    ask = make_reader("")
    time_machine.move_to(datetime(2028, 3, 1, 12, tzinfo=UTC), tick=False)
    report = orjson.loads(ask("reports/trend?region=chicago").content)
    assert (report["from"], report["to"], report["rows"]) == (
        *("2028-02-03", "2028-03-02"),
        [],
    )
    assert report["note"] == (
        "There is no event from 2028-02-03T00:00:00Z to 2028-03-02T00:00:00Z; the"
        " newest is of 2026-01-01T08:00:00Z: say from and to."
    )
    events = orjson.loads(ask("events?region=chicago").content)
    assert (events["from"], events["to"]) == (
        *("2027-03-01T12:00:00Z", "2028-03-01T12:00:00Z"),
    )
    assert "the newest is of 2026-01-01T08:00:00Z" in events["note"]
    named = orjson.loads(ask("events?region=chicago&from=2028-01-01").content)
    assert (named["note"], named["results"]) == (None, [])


def test_what_is_neither_a_day_nor_a_time_is_refused(ask: Ask) -> None:
    for wrong in ("0.5", "20260101", "2026-01-01T00:00:00", "2026-13-01", "1800-01-01"):
        answer = ask(f"/trend?region=chicago&from={wrong}")
        (fault,) = orjson.loads(answer.content)["errors"]
        assert (answer.status_code, fault["pointer"]) == (422, "/from")
    lost = ask("/trend?region=chicago&from=2026-01-01T00:00:00+00:00")
    assert "%2B" in orjson.loads(lost.content)["detail"]
