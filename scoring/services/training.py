"""Fit model versions, each written whole with artifacts and skill, or not at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from scoring.engine.artifacts import digest_of, dump_artifact
from scoring.engine.backtesting import BacktestPlan, backtest
from scoring.engine.events import EventHistory
from scoring.engine.fitting import fit_forecaster
from scoring.engine.forecasters import Forecaster
from scoring.engine.grid import Grid
from scoring.models import ModelArtifact, ModelVersion, Region
from scoring.services.events import load_history

MODEL_KIND = "poisson_glm"
BASELINE = "long_run_count"
# The back-test forecasts the end of the record; most of it is left to learn from.
BACKTEST_SHARE = 0.3
MOST_ORIGINS = 60
FEWEST_ORIGINS = 4

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedHorizon:
    horizon_sec: int
    forecaster: Forecaster
    skill: dict[str, Any] | None


def train_model_version(
    region: Region,
    *,
    grid: Grid,
    until: datetime,
    horizons_sec: Sequence[int],
    progress: Progress,
) -> ModelVersion:
    """Fit one forecaster a horizon, back-test it, and make the version champion."""
    progress("Reading the events of the region")
    history = load_history(region, grid, until=until)
    fitted = [
        _fit_horizon(region, grid, history, until, horizon_sec, progress)
        for horizon_sec in horizons_sec
    ]
    return _store_champion(region, history, until, fitted)


def _fit_horizon(
    region: Region,
    grid: Grid,
    history: EventHistory,
    until: datetime,
    horizon_sec: int,
    progress: Progress,
) -> FittedHorizon:
    hours = horizon_sec // 3_600
    progress(f"Fitting {MODEL_KIND} for {hours} h on {len(history)} events")
    forecaster = fit_forecaster(
        history,
        grid,
        horizon_s=horizon_sec,
        timezone=region.timezone,
        until_s=until.timestamp(),
        kind=MODEL_KIND,
    )
    progress(f"Back-testing {MODEL_KIND} for {hours} h against {BASELINE}")
    return FittedHorizon(
        horizon_sec=horizon_sec,
        forecaster=forecaster,
        skill=_measure_skill(region, grid, history, horizon_sec),
    )


def _measure_skill(
    region: Region, grid: Grid, history: EventHistory, horizon_sec: int
) -> dict[str, Any] | None:
    """Back-test on the end of the record; None where the record is too short."""
    record_s = float(history.occurred_s[-1] - history.occurred_s[0])
    n_origins = min(MOST_ORIGINS, int(BACKTEST_SHARE * record_s / horizon_sec))
    if n_origins < FEWEST_ORIGINS:
        return None
    plan = BacktestPlan(
        kind=MODEL_KIND,
        baselines=(BASELINE,),
        horizon_s=horizon_sec,
        n_origins=n_origins,
        timezone=region.timezone,
    )
    return backtest(history, grid, plan=plan).as_dict()


@transaction.atomic
def _store_champion(
    region: Region,
    history: EventHistory,
    until: datetime,
    fitted: Sequence[FittedHorizon],
) -> ModelVersion:
    # Two trainings of one region at once must not take one number.
    Region.objects.select_for_update().get(pk=region.pk)
    versions = ModelVersion.objects.of_region(region)
    newest = versions.aggregate(newest=Max("number"))["newest"] or 0
    versions.champions().update(state=ModelVersion.State.RETIRED)
    version = ModelVersion.objects.create(
        region=region,
        number=newest + 1,
        kind=MODEL_KIND,
        state=ModelVersion.State.CHAMPION,
        trained_from=datetime.fromtimestamp(float(history.occurred_s[0]), tz=UTC),
        trained_until=until,
        event_count=len(history),
        skill={str(fit.horizon_sec): fit.skill for fit in fitted},
    )
    for fit in fitted:
        body = dump_artifact(fit.forecaster)
        ModelArtifact.objects.create(
            model_version=version,
            horizon_sec=fit.horizon_sec,
            digest=digest_of(body),
            body=body,
        )
    return version
