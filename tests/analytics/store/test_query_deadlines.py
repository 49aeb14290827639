"""ClickHouse stops a query when the time of its request is up."""

import pytest

from analytics.errors import QueryBudgetError
from analytics.store.clickhouse import Budget, fetch_rows
from perf.deadlines import deadline
from riskplatform.kernel.errors import DeadlineError

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

ALLOWED_S = "SELECT toFloat64(getSetting('max_execution_time'))"
ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"
PATIENT = Budget(max_seconds=20, max_rows=10**13)


def test_the_earlier_of_budget_and_deadline_is_told() -> None:
    with deadline(5.5):
        [(short_s,)] = fetch_rows("test", ALLOWED_S, budget=PATIENT)
    with deadline(50):
        [(long_s,)] = fetch_rows("test", ALLOWED_S, budget=PATIENT)
    assert 5 < short_s <= 5.5
    assert long_s == 20


def test_a_query_that_has_no_time_left_is_late() -> None:
    with pytest.raises(DeadlineError), deadline(0.3):
        fetch_rows("test", ENDLESS, budget=PATIENT)


def test_a_query_over_its_own_budget_is_too_large() -> None:
    budget = Budget(max_seconds=1, max_rows=10**13)
    with pytest.raises(QueryBudgetError), deadline(60):
        fetch_rows("test", ENDLESS, budget=budget)


def test_nobody_is_asked_when_the_time_is_up() -> None:
    with pytest.raises(DeadlineError), deadline(0):
        fetch_rows("test", "NOT EVEN SQL")
