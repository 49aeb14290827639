"""Shares of what is bad, measured from counts and written in PromQL."""

import pytest

from perf.slo.burn_rates import PAGE, TICKET, possible
from perf.slo.indicators import Condition, Latency, Ratio, Sample, Series, growth

ROUTES = {"route": ("a", "b")}
ERRORS = Ratio(
    bad=Series("requests_total", {**ROUTES, "outcome": ("failed",)}),
    total=Series("requests_total", ROUTES),
    by=("route",),
)
SLOW = Latency(histogram="took", at_most_s=0.08, labels=ROUTES)


def counted(failed: float, fine: float, slow: float) -> list[tuple[Sample, float]]:
    requests, count = "requests_total", failed + fine
    return [
        ((requests, {"route": "a", "outcome": "failed"}), failed),
        ((requests, {"route": "a", "outcome": "answered"}), fine),
        ((requests, {"route": "b", "outcome": "answered"}), 10.0),
        ((requests, {"route": "other", "outcome": "failed"}), failed),
        (("took_bucket", {"route": "a", "le": "0.08"}), count - slow),
        (("took_count", {"route": "a"}), count),
        (("took_count", {"route": "other"}), count),
    ]


def test_what_grew_meanwhile_is_what_counts() -> None:
    grown = growth(counted(5, 5, 3), counted(6, 8, 5))
    assert ERRORS.counted(grown) == {("a",): (1.0, 4.0)}
    assert SLOW.counted(grown) == {(): (2.0, 4.0)}


def test_what_is_new_began_at_nothing() -> None:
    grown = growth([], counted(1, 3, 1))
    assert ERRORS.counted(grown) == {("a",): (1.0, 4.0), ("b",): (0.0, 10.0)}


def test_a_counter_that_fell_was_reset_meanwhile() -> None:
    grown = growth(counted(50, 500, 1), counted(1, 3, 1))
    assert ERRORS.counted(grown)["a",] == (1.0, 4.0)


def test_nothing_is_said_of_what_did_not_happen() -> None:
    same = counted(1, 3, 1)
    assert ERRORS.counted(growth(same, same)) == {}
    assert SLOW.counted(growth(same, same)) == {}


def test_promql_is_grouped_and_names_the_values_of_labels() -> None:
    assert ERRORS.bad_ratio("5m") == (
        "(sum by (route) (rate("
        'requests_total{route=~"a|b",outcome="failed"}[5m]))'
        ' or 0 * sum by (route) (rate(requests_total{route=~"a|b"}[5m])))'
        ' / (sum by (route) (rate(requests_total{route=~"a|b"}[5m])) > 0)'
    )
    assert SLOW.bad_ratio("1h") == (
        '1 - sum(rate(took_bucket{route=~"a|b",le="0.08"}[1h]))'
        ' / (sum(rate(took_count{route=~"a|b"}[1h])) > 0)'
    )


def test_a_gauge_is_bad_for_a_share_of_the_time() -> None:
    late = Condition(gauge="late_seconds", limit=900, by=("region",))
    assert late.bad_ratio("5m") == (
        "max by (region) (avg_over_time((late_seconds > bool 900)[5m:1m]))"
    )


@pytest.mark.parametrize(
    ("budget", "factors"), [(0.001, [14.4, 6, 3, 1]), (0.1, [6, 3, 1]), (0.4, [1])]
)
def test_a_rate_that_there_cannot_be_is_left_out(
    budget: float, factors: list[float]
) -> None:
    found = [
        rate.factor
        for severity in (PAGE, TICKET)
        for rate in possible(budget, severity=severity, pages=True)
    ]
    assert found == factors


def test_where_nobody_is_woken_all_rates_are_tickets() -> None:
    assert possible(0.001, severity=PAGE, pages=False) == ()
    assert len(possible(0.001, severity=TICKET, pages=False)) == 4
