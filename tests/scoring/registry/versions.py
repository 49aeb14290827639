"""Two versions of a region that forecast the same instants, with figures made up."""

from datetime import datetime, timedelta

from scoring.models import (
    Forecast,
    ForecastSkill,
    ModelArtifact,
    ModelVersion,
    Region,
)
from tests.support.factories import DAY_S, ISSUED_FOR, make_forecast, make_model_version

# Of a calibrated forecaster: cases, sums of probability, cases that happened.
CALIBRATED = [[900.0, 100.0], [9.0, 20.0], [9.0, 20.0]]
OFF = [[900.0, 100.0], [9.0, 20.0], [90.0, 20.0]]


def make_version(
    region: Region, *, number: int, state: ModelVersion.State, horizon_sec: int = DAY_S
) -> ModelVersion:
    version = make_model_version(region, number=number)
    version.state = state
    version.trained_until = ISSUED_FOR
    version.save()
    ModelArtifact.objects.create(
        model_version=version,
        horizon_sec=horizon_sec,
        digest=f"{number:064x}",
        body=b"",
    )
    return version


def make_rivals(region: Region) -> tuple[ModelVersion, ModelVersion]:
    """Give the champion and a challenger."""
    champion = make_version(region, number=1, state=ModelVersion.State.CHAMPION)
    challenger = make_version(region, number=2, state=ModelVersion.State.CHALLENGER)
    return champion, challenger


def make_scored_forecast(
    version: ModelVersion,
    issued_for: datetime,
    *,
    log_score: float = -10.0,
    n_test: float = 0.5,
    reliability: list[list[float]] | None = None,
) -> ForecastSkill:
    return ForecastSkill.objects.create(
        forecast=make_run(version, issued_for),
        observed_count=5,
        log_score=log_score,
        brier_score=0.1,
        gain=0.2,
        n_test_low=n_test,
        n_test_high=1 - n_test,
        figures={
            "poisson_log_score": log_score,
            "reliability": reliability or CALIBRATED,
        },
    )


def make_run(version: ModelVersion, issued_for: datetime) -> Forecast:
    forecast = make_forecast(
        version.region, model_version=version, issued_for=issued_for
    )
    forecast.is_shadow = version.state != ModelVersion.State.CHAMPION
    forecast.save()
    return forecast


def day(number: int) -> datetime:
    return ISSUED_FOR + timedelta(days=number)
