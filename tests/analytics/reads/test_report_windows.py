"""Reports on nothing, and those that cannot be made."""

from dataclasses import replace
from datetime import date

import pytest

from analytics.errors import ReportWindowError, UnknownReportError
from analytics.reads.reports import REPORTS, ReportWindow, run_report

pytestmark = pytest.mark.django_db(databases=["clickhouse"])
CELL = 613164979180273663
SINCE = date(2021, 12, 1)
WINDOW = ReportWindow(
    region="chicago", since=SINCE, until=date(2022, 2, 1), cells=[CELL], rings=3
)


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_region_without_events_has_an_empty_report(name: str) -> None:
    found = run_report(name, replace(WINDOW, region="nowhere"))

    counts = found["count"].tolist()
    assert counts == ([0] if name == "neighbourhood-counts" else [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"until": SINCE},
        {"until": date(2099, 1, 1)},
        {"cells": ()},
        {"rings": 11},
    ],
)
def test_window_that_cannot_be_covered_is_refused(wrong: dict[str, object]) -> None:
    name = "neighbourhood-counts" if "until" not in wrong else "hourly-counts"

    with pytest.raises(ReportWindowError):
        run_report(name, replace(WINDOW, **wrong))  # type: ignore[arg-type]  # any field


def test_unknown_report_names_those_there_are() -> None:
    with pytest.raises(UnknownReportError) as caught:
        run_report("everything", WINDOW)

    assert caught.value.context == {"known": sorted(REPORTS)}
