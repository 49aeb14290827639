"""The page of operators: readings of /metrics, kept for hours and judged."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from perf.jobs.models import Job, PeriodicRun
from perf.monitoring.charts import (
    Chart,
    Interval,
    Level,
    Quantiles,
    Rate,
    Share,
    all_charts,
    register_charts,
)
from perf.monitoring.models import MetricReading
from perf.monitoring.operations import chart_data, list_readings, objective_states
from perf.monitoring.readings import KEPT, Samples, keep_reading, take_reading
from perf.slo.indicators import Condition, Series, growth
from perf.slo.judging import State

pytestmark = pytest.mark.django_db
PAGE = "admin:perf_metricreading_changelist"


def requests(answered: float, failed: float, route: str = "assess") -> Samples:
    name = "perf_requests_total"
    return [
        ((name, {"route": route, "outcome": "answered"}), answered),
        ((name, {"route": route, "outcome": "failed"}), failed),
    ]


def readings_of(counts: Iterable[tuple[float, float]], *, every_s: float = 30) -> None:
    """Keep readings as if they had been taken one after the other, the last one now."""
    kept = [keep_reading(requests(*count)) for count in counts]
    now = timezone.now()
    for number, reading in enumerate(reversed(kept)):
        at = now - timedelta(seconds=every_s * number)
        MetricReading.objects.filter(pk=reading.pk).update(at=at)


def state_of(name: str) -> Any:
    states = objective_states(list_readings())
    return next(it for it in states if it.verdict.objective.name == name)


def test_a_healthy_platform_has_its_budget() -> None:
    readings_of((100.0 * n, 0.0) for n in range(20))
    state = state_of("availability")
    assert state.verdict.state is State.MET
    assert state.verdict.budget_left == 1.0
    assert state.burning is None


def test_an_error_every_50th_request_burns_the_budget_of_its_route() -> None:
    readings_of((49.0 * n, 1.0 * n) for n in range(20))
    state = state_of("request-errors")
    assert state.verdict.labels == {"route": "assess"}
    assert state.verdict.bad_ratio == pytest.approx(1 / 50)
    # 2 % of a budget of 0.1 %.
    assert state.burn_rate == pytest.approx(20)
    assert state.burning.factor == 14.4
    assert state.severity == "page"
    # What burns stands first.
    assert objective_states(list_readings())[0].burning is not None


def test_what_is_over_alerts_no_more() -> None:
    readings_of((49.0 * n, 1.0 * min(n, 20)) for n in range(120))
    state = state_of("request-errors")
    assert state.verdict.state is State.BROKEN
    assert state.burning is None


def test_a_reset_of_the_counters_is_no_growth_below_zero() -> None:
    readings_of([(1_000.0, 50.0), (10.0, 0.0), (20.0, 0.0)])
    assert state_of("availability").verdict.bad_ratio == 0.0


def test_a_gap_says_nothing_of_what_happened_meanwhile() -> None:
    readings_of([(0.0, 0.0), (100.0, 50.0)])
    MetricReading.objects.update(at=timezone.now() - timedelta(hours=1))
    MetricReading.objects.filter(samples__isnull=True).delete()
    keep_reading(requests(200, 150))
    assert MetricReading.objects.latest("pk").counts == {}


def test_hours_are_kept_and_of_one_reading_all_samples() -> None:
    readings_of((100.0 * n, 0.0) for n in range(5))
    MetricReading.objects.order_by("pk")[0].delete()
    oldest = MetricReading.objects.order_by("pk")[0]
    MetricReading.objects.filter(pk=oldest.pk).update(at=timezone.now() - 2 * KEPT)
    keep_reading(requests(500, 0))
    assert not MetricReading.objects.filter(pk=oldest.pk).exists()
    assert MetricReading.objects.filter(samples__isnull=False).count() == 1


def test_nobody_serves_metrics(settings: Settings) -> None:
    settings.METRICS_URL = "http://127.0.0.1:9/metrics"
    assert not take_reading()
    assert not MetricReading.objects.exists()


def test_time_of_a_gauge_on_the_wrong_side_counts() -> None:
    late = Condition(gauge="late", limit=10, by=("region",))
    levels = growth(
        (), [(("late", {"region": "a"}), 11.0), (("late", {"region": "b"}), 10.0)]
    )
    assert late.counted({}, levels=levels, seconds=30.0) == {
        ("a",): (30.0, 30.0),
        ("b",): (0.0, 30.0),
    }
    assert late.counted({}) == {}


def test_lines_of_charts() -> None:
    grown = growth(
        (),
        [
            (("n_total", {"kind": "a"}), 30.0),
            (("n_total", {"kind": "b"}), 10.0),
            (("took_bucket", {"le": "0.1"}), 50.0),
            (("took_bucket", {"le": "0.2"}), 100.0),
            (("took_bucket", {"le": "+Inf"}), 100.0),
        ],
    )
    interval = Interval(10.0, grown, grown)
    all_of_it = Series("n_total")
    assert Chart("", "", Rate(all_of_it, by="kind")).points(interval) == {
        "a": 3,
        "b": 1,
    }
    assert Chart("", "", Rate(all_of_it)).points(interval) == {"all": 4}
    assert Chart("", "", Level(all_of_it)).points(interval) == {"all": 40}
    share = Share("a", Series("n_total", {"kind": ("a",)}), all_of_it)
    assert Chart("", "", share).points(interval) == {"a": 0.75}
    assert Chart("", "", Quantiles("took")).points(interval) == {
        "p50": pytest.approx(0.1),
        "p95": pytest.approx(0.19),
        "p99": pytest.approx(0.198),
    }
    nothing = Interval(10.0, {}, {})
    assert Chart("", "", share).points(nothing) == {}
    assert Chart("", "", Quantiles("took")).points(nothing) == {}


def test_two_charts_have_two_titles() -> None:
    known = next(iter(all_charts().values()))
    register_charts(known)
    with pytest.raises(ValueError, match="two charts"):
        register_charts(Chart(known.title, "other", known.lines))


def test_charts_have_a_number_or_none_for_each_time() -> None:
    readings_of((100.0 * n, 0.0) for n in range(4))
    data = chart_data(list_readings())
    assert len(data["at"]) == 4
    [chart] = [it for it in data["charts"] if it["title"] == "Requests"]
    lines = {line["name"]: line["values"] for line in chart["lines"]}
    # Of the first reading it is not known when it happened.
    assert lines["answered"][0] is None
    assert lines["answered"][-1] > 0


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_the_page_shows_what_burns_and_what_failed(admin: Client) -> None:
    readings_of((49.0 * n, 1.0 * n) for n in range(20))
    Job.objects.create(kind="fit-model", state=Job.State.FAILED, error="Too few.")
    PeriodicRun.objects.create(name="send-webhooks", error="OSError: away")
    page = admin.get(reverse(PAGE)).text
    assert "page: over 14.4 times for 1h" in page
    assert "Too few." in page
    assert "OSError: away" in page
    assert "<strong>clickhouse</strong> ok" in page
    assert "The last reading" not in page


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_the_page_says_that_nobody_reads(admin: Client) -> None:
    assert "No reading of the metrics yet" in admin.get(reverse(PAGE)).text
    readings_of((100.0 * n, 0.0) for n in range(4))
    MetricReading.objects.update(at=timezone.now() - timedelta(minutes=10))
    assert "The last reading of the metrics is from" in admin.get(reverse(PAGE)).text
