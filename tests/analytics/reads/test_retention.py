"""Old events go where a rule says so, and nowhere else."""

import json
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from analytics.reads.retention import read_retention, set_retention
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
    set_retention({"chicago": 365})
    put()

    assert kept() == [("chicago", "late"), ("paris", "late"), ("paris", "old")]


def retain(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("set_event_retention", *arguments, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_a_dry_run_counts_what_would_go_and_changes_nothing() -> None:
    put()
    found = retain("chicago=365", "--dry-run")

    assert found["too_old"] == {"chicago": 1}
    assert retain("--list")["days"] == {}
    assert len(kept()) == 4


def test_one_rule_leaves_the_others_alone() -> None:
    put()
    retain("paris=36525", "--yes")
    retain("chicago=365", "--yes")

    assert retain()["days"] == {"chicago": 365, "paris": 36_525}
    assert kept() == [("chicago", "late"), ("paris", "late"), ("paris", "old")]

    assert retain("chicago=ever", "paris=ever")["days"] == {}
    assert read_retention() == {}


def test_it_deletes_only_with_consent() -> None:
    put()
    with pytest.raises(CommandError, match=r"deletes 1 events for good.*--yes"):
        call_command("set_event_retention", "chicago=365", stdout=StringIO())
    assert read_retention() == {}
    # Nothing is old enough to be deleted, so nobody has to agree.
    call_command("set_event_retention", "chicago=36525", stdout=StringIO())
    assert read_retention() == {"chicago": 36_525}


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("chicago", "REGION=DAYS"),
        ("chicago=x", "REGION=DAYS"),
        ("=3", "REGION=DAYS"),
        ("chicago=0", "1 to 36,525"),
        ("chicgo=3", r"no events of a region 'chicgo'.*chicago, paris"),
    ],
)
def test_wrong_rule_is_refused(rule: str, reason: str) -> None:
    put()
    with pytest.raises(CommandError, match=reason):
        call_command("set_event_retention", rule, "--yes", stdout=StringIO())
    assert read_retention() == {}
