"""A forecast that contradicts the recent record is refused; the one before stays."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from prometheus_client import REGISTRY

from perf.jobs.models import Job
from perf.jobs.queue import enqueue_job
from perf.jobs.runner import run_next_job
from scoring.engine.artifacts import digest_of, dump_artifact
from scoring.errors import ForecastRefusedError
from scoring.models import Forecast, ModelArtifact, Region
from scoring.selectors.forecasts import get_latest_forecast
from scoring.services.forecasts.publishing import load_forecaster, renew_forecasts
from scoring.services.registry.fitting import RENEW, FittedRegion, fit_model
from tests.support.factories import DAY_S, make_region
from tests.support.random_events import store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
KIND = "long_run_count"
BOTH_FIGURES = r"expects 3.*e-09 events in 24 h, .* windows .* held 3.\d+ on average"


@pytest.fixture
def region() -> Region:
    region = make_region(rings=1)
    store_random_events(region)
    return region


@pytest.fixture
def fitted(region: Region) -> FittedRegion:
    return fit_model(region, kind=KIND)


def spoil(fitted: FittedRegion, *, level: float, **changes: Any) -> datetime:
    """Have the champion forecast `level` times as much in a day; gives when."""
    version = fitted.model_version
    broken = replace(load_forecaster(version, DAY_S).with_level(level), **changes)
    body = dump_artifact(broken)
    ModelArtifact.objects.filter(model_version=version, horizon_sec=DAY_S).update(
        digest=digest_of(body), body=body
    )
    return fitted.forecasts[0].issued_for + timedelta(hours=1)


def refused_count() -> float:
    labels = {"kind": KIND}
    return REGISTRY.get_sample_value("scoring_forecasts_refused_total", labels) or 0.0


def test_next_to_nothing_is_refused_with_both_figures_and_nothing_is_taken_away(
    region: Region, fitted: FittedRegion, caplog: pytest.LogCaptureFixture
) -> None:
    later, before = spoil(fitted, level=1e-9), refused_count()
    with pytest.raises(ForecastRefusedError, match=BOTH_FIGURES) as caught:
        renew_forecasts(region, issued_for=later)
    [figures] = caught.value.context["refused"]
    assert figures["expected_count"] == pytest.approx(3e-9, rel=0.4)
    assert figures["plausible"]["mean"] == pytest.approx(3.0, rel=0.1)
    assert refused_count() == before + 1
    [record] = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert "stays in service" in record.getMessage()
    day, week = (
        get_latest_forecast(region, horizon_sec=horizon_sec)
        for horizon_sec in (DAY_S, 7 * DAY_S)
    )
    assert day == fitted.forecasts[0]
    assert week.issued_for == later


def test_the_job_fails_with_the_sentence(region: Region, fitted: FittedRegion) -> None:
    import_module("scoring.tasks")
    spoil(fitted, level=1e-9)
    Forecast.objects.all().delete()
    enqueue_job(
        RENEW, parameters={"region": region.slug}, organisation=None, is_single=True
    )
    run_next_job()
    job = Job.objects.get()
    assert (job.state, job.attempts) == (Job.State.FAILED, 1)
    assert "expects" in job.error
    assert "on average" in job.error


def test_the_command_ends_with_the_sentence(
    region: Region, fitted: FittedRegion
) -> None:
    spoil(fitted, level=1e-9)
    Forecast.objects.all().delete()
    with pytest.raises(CommandError, match=BOTH_FIGURES):
        call_command("fit_model", region=region.slug, model=KIND)


def test_far_too_much_is_refused_for_every_horizon_that_holds_it(
    region: Region, fitted: FittedRegion
) -> None:
    later = spoil(fitted, level=1e4)
    with pytest.raises(ForecastRefusedError, match=r"e\+04 events in 168 h"):
        renew_forecasts(region, issued_for=later)
    assert not Forecast.objects.filter(issued_for=later).exists()


def test_an_artifact_that_cannot_forecast_is_refused_in_the_same_way(
    region: Region, fitted: FittedRegion
) -> None:
    later = spoil(fitted, level=1.0, scenario_model=None)
    with pytest.raises(ForecastRefusedError, match="without a scenario model"):
        renew_forecasts(region, issued_for=later)
