"""Old events go where a rule says so, and nowhere else."""

from collections.abc import Iterator, Sequence
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from analytics.reads.retention import set_retention
from analytics.store.clickhouse import fetch_rows, insert_columns, run_statement

pytestmark = pytest.mark.django_db(databases=["clickhouse"])
TIMES_MS = {"old": -1_000_000_000_000, "late": 9_000_000_000_000}


@pytest.fixture(autouse=True)
def no_rules(empty_event_table: None) -> Iterator[None]:
    yield
    set_retention({})


def kept() -> list[tuple[str, str]]:
    run_statement("test", "OPTIMIZE TABLE analytics_event FINAL")
    return fetch_rows(
        "test",
        "SELECT region, external_id FROM analytics_event FINAL ORDER BY ALL",
    )


def put() -> None:
    regions = ["chicago", "chicago", "paris", "paris"]
    columns: dict[str, Sequence[object]] = {
        "region": regions,
        "external_id": [*TIMES_MS, *TIMES_MS],
        "occurred_at": [*TIMES_MS.values(), *TIMES_MS.values()],
    }
    insert_columns("test", "analytics_event", columns)


def test_nothing_is_removed_by_default() -> None:
    put()

    assert len(kept()) == 4


def test_region_with_a_rule_loses_what_is_too_old() -> None:
    out = StringIO()
    call_command("set_event_retention", "chicago=36525", "rome=1", stdout=out)
    set_retention({"chicago": 365})
    put()

    assert kept() == [("chicago", "late"), ("paris", "late"), ("paris", "old")]
    assert "chicago: 36,525 days" in out.getvalue()


def test_rules_can_be_taken_back() -> None:
    set_retention({"chicago": 1})
    for _ in range(2):
        call_command("set_event_retention", stdout=StringIO())
    put()

    assert len(kept()) == 4


@pytest.mark.parametrize("rule", ["chicago", "chicago=x", "=3", "chicago=0"])
def test_wrong_rule_is_refused(rule: str) -> None:
    with pytest.raises(CommandError):
        call_command("set_event_retention", rule)
