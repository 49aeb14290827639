"""What is kept of answers is what ClickHouse answers, until something is stored."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.db import connections
from django.test.utils import CaptureQueriesContext

from analytics.errors import EventStoreUnavailableError
from analytics.grid import RegionGrid
from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from analytics.reads.activity import count_by_hour
from analytics.reads.features import EventScope, cell_aggregates, region_extent
from analytics.reads.reports import REPORTS, ReportWindow, run_report
from analytics.reads.retention import set_retention
from analytics.reads.severities import ranked_severities
from analytics.store.clickhouse import insert_columns, to_milliseconds
from analytics.store.query_cache import ANSWERS
from perf.metrics import CacheOutcome
from perf.switches import Switch
from tests.perf.cache.keeping import count_of
from tests.support.chicago import CHICAGO

pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]
START = datetime(2022, 1, 1, tzinfo=UTC)
END = START + timedelta(days=30)
PARIS = RegionGrid(slug="paris", resolution=8, timezone="Europe/Paris")
CELL = int(CHICAGO.cells_of(np.array([41.75]), np.array([-87.6]))[0])
Question = Callable[[], Any]


def store(seed: int = 7, *, grid: RegionGrid = CHICAGO) -> None:
    rng = np.random.default_rng(seed)
    severity = rng.normal(3.0, 4.0, 300)
    severity[::5] = np.nan
    columns = EventColumns(
        occurred_ms=to_milliseconds(START) + rng.integers(0, 25 * 86_400_000, 300),
        lat=rng.choice([41.70, 41.75, 41.80], 300),
        lon=rng.choice([-87.70, -87.60], 300),
        severity=severity,
        event_type="theft",
    )
    store_events(columns, grid=grid, source="test", now=START)


def report(name: str) -> Question:
    window = ReportWindow(
        region="chicago",
        since=date(2022, 1, 1),
        until=date(2022, 1, 20),
        cells=[CELL],
    )
    return lambda: run_report(name, window)


QUESTIONS: dict[str, Question] = {
    "hours": lambda: count_by_hour(["chicago", "paris"], since=START, until=END),
    "severities": lambda: ranked_severities("chicago", until=END),
    "aggregates": lambda: cell_aggregates("chicago", END, scales_s=[3e4, 9e5]),
    "windows": lambda: cell_aggregates(
        "chicago",
        END,
        scales_s=[3e4],
        windows_s=[5e4, 6e5],
        scope=EventScope(known_at=END),
    ),
    "extent": lambda: region_extent("chicago"),
    **{name: report(name) for name in REPORTS},
}
EVERY_QUESTION = pytest.mark.parametrize("name", list(QUESTIONS))


def spelled_out(answer: Any) -> Any:
    """Give bytes and types, which are the same for the same answers only."""
    if isinstance(answer, np.ndarray):
        is_object = answer.dtype == np.object_
        content = spelled_out(answer.tolist()) if is_object else answer.tobytes()
        return (answer.dtype.str, answer.shape, content)
    if is_dataclass(answer):
        names = [field.name for field in fields(answer)]
        return [(name, spelled_out(getattr(answer, name))) for name in names]
    if isinstance(answer, dict | list):
        parts = answer.items() if isinstance(answer, dict) else enumerate(answer)
        return [(name, spelled_out(part)) for name, part in parts]
    return (type(answer), repr(answer))


@EVERY_QUESTION
@pytest.mark.parametrize("is_empty", [False, True])
def test_kept_answers_are_byte_by_byte_those_of_clickhouse(
    name: str, settings: LazySettings, *, is_empty: bool
) -> None:
    if not is_empty:
        store()
    ask = QUESTIONS[name]
    hits = count_of(ANSWERS, CacheOutcome.HIT)
    first, second = spelled_out(ask()), spelled_out(ask())
    assert count_of(ANSWERS, CacheOutcome.HIT) == hits + 1
    settings.PERFORMANCE_OFF = frozenset({Switch.QUERIES})
    assert spelled_out(ask()) == first == second


@EVERY_QUESTION
def test_a_question_that_was_asked_before_asks_clickhouse_nothing(name: str) -> None:
    store()
    QUESTIONS[name]()
    with CaptureQueriesContext(connections["clickhouse"]) as queries:
        QUESTIONS[name]()
    assert len(queries) == 0


@EVERY_QUESTION
def test_new_events_are_in_the_next_answer(name: str, settings: LazySettings) -> None:
    store(1)
    before = spelled_out(QUESTIONS[name]())
    store(2)
    after = spelled_out(QUESTIONS[name]())
    settings.PERFORMANCE_OFF = frozenset({Switch.QUERIES})
    assert after == spelled_out(QUESTIONS[name]())
    assert after != before


def test_events_elsewhere_leave_answers_as_they_are() -> None:
    store()
    region_extent("chicago")
    store(grid=PARIS)
    with CaptureQueriesContext(connections["clickhouse"]) as queries:
        region_extent("chicago")
    assert len(queries) == 0
    assert region_extent("paris").count == 300


def test_a_write_whose_answer_was_lost_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert region_extent("chicago").count == 0

    def insert_and_fail(*args: Any, **options: Any) -> None:
        insert_columns(*args, **options)
        raise EventStoreUnavailableError("The answer was lost.")

    monkeypatch.setattr("analytics.ingest.storage.insert_columns", insert_and_fail)
    with pytest.raises(EventStoreUnavailableError):
        store()
    assert region_extent("chicago").count == 300


def test_a_new_retention_is_asked_about_anew() -> None:
    region_extent("chicago")
    set_retention({"paris": 36_000})
    try:
        with CaptureQueriesContext(connections["clickhouse"]) as queries:
            region_extent("chicago")
    finally:
        set_retention({})
    assert len(queries) == 1
