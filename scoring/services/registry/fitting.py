"""Fit model versions, register them, and serve what they forecast."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Max

from perf.jobs.models import Job
from perf.jobs.queue import enqueue_job
from riskplatform.api.keys.models import Organisation
from scoring.engine.artifacts import digest_of, dump_artifact
from scoring.engine.backtesting import BacktestPlan, backtest
from scoring.engine.errors import EngineError
from scoring.engine.events import EventHistory
from scoring.engine.fitting import fit_forecaster
from scoring.engine.forecasters import Forecaster
from scoring.engine.grid import Grid
from scoring.errors import ModelStateError, TooFewEventsError
from scoring.horizons import SERVED_HORIZONS_SEC, SERVED_KIND
from scoring.metrics import FIT_SECONDS
from scoring.models import Forecast, ModelArtifact, ModelVersion, Region
from scoring.selectors.events import extent_until_now, load_usable_record, notes_on
from scoring.selectors.model_versions import find_champion
from scoring.selectors.regions import grid_of_region
from scoring.services.forecasts.publishing import (
    issue_instant,
    minute_after,
    publish_version,
)
from scoring.services.regions import grow_region, lock_region
from scoring.services.registry.promotion import promote

MIN_EVENTS = 200

BASELINE = "long_run_count"
# The back-test forecasts the end of the record; most of it is left to learn from.
BACKTEST_SHARE = 0.3
MOST_ORIGINS = 60
FEWEST_ORIGINS = 4

Progress = Callable[[str], None]
FIT: Final = "fit-model"
RENEW: Final = "renew-forecasts"


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedRegion:
    """`model_version` is the one just fitted, `forecasts` are those now served."""

    model_version: ModelVersion
    forecasts: tuple[Forecast, ...]
    grid: Grid
    event_count: int
    fit_seconds: float
    forecast_seconds: float


def fit_model(
    region: Region,
    *,
    kind: str = SERVED_KIND,
    forced_because: str = "",
    progress: Progress = lambda _: None,
) -> FittedRegion:
    """Fit a model version on all events and publish a forecast for each horizon.

    The forecasts are issued for the first full minute after the last event, so that
    it is known to them. Where the region has a champion, they are its forecasts and
    the new version stays a candidate, unless it is `forced_because` of something.

    Raises
    ------
    TooFewEventsError
        The region has fewer than `MIN_EVENTS` events, or no horizon can be fitted.
    ForecastRefusedError
        A forecast contradicts the recent record; the new version stays a candidate.
    """
    issued_for, event_count = _instant_after_last_event(region)
    grow_region(region)
    grid = grid_of_region(region)
    started = time.perf_counter()
    plan = TrainingPlan(
        grid=grid, until=issued_for, horizons_sec=SERVED_HORIZONS_SEC, kind=kind
    )
    model_version = train_model_version(region, plan=plan, progress=progress)
    fitted = time.perf_counter()
    FIT_SECONDS.labels(kind).observe(fitted - started)
    forecasts = _serve(model_version, grid, issued_for, forced_because, progress)
    return FittedRegion(
        model_version=model_version,
        forecasts=forecasts,
        grid=grid,
        event_count=event_count,
        fit_seconds=fitted - started,
        forecast_seconds=time.perf_counter() - fitted,
    )


def _instant_after_last_event(region: Region) -> tuple[datetime, int]:
    extent = extent_until_now(region)
    if extent.last_occurred_at is None or extent.count < MIN_EVENTS:
        raise TooFewEventsError(
            f"Region {region.slug!r} has {extent.count} events; a model needs "
            f"{MIN_EVENTS}. Import more with manage.py import_events.",
            region=region.slug,
        )
    return minute_after(extent.last_occurred_at), extent.count


def _serve(
    fitted: ModelVersion,
    grid: Grid,
    issued_for: datetime,
    forced_because: str,
    progress: Progress,
) -> tuple[Forecast, ...]:
    champion = find_champion(fitted.region)
    if champion is not None and not forced_because:
        return publish_version(champion, grid=grid, issued_for=issued_for)
    progress(f"Forecasting for {len(grid)} cells")
    forecasts = publish_version(fitted, grid=grid, issued_for=issued_for)
    promote(fitted, actor="refresh", forced_because=forced_because)
    for forecast in forecasts:
        forecast.refresh_from_db(fields=("is_shadow", "served_at"))
    return forecasts


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """What to fit: `kind` is one of the engine's models, `until` ends the window."""

    grid: Grid
    until: datetime
    horizons_sec: Sequence[int]
    kind: str


def train_model_version(
    region: Region, *, plan: TrainingPlan, progress: Progress
) -> ModelVersion:
    """Fit one forecaster a horizon, back-test it, and register a candidate.

    What a reader of its figures should know is in its `notes`: events that were left
    out, and horizons for which the record is too short.

    Raises
    ------
    TooFewEventsError
        No horizon can be fitted.
    """
    progress("Reading the events of the region")
    record = load_usable_record(region, plan.grid, until=plan.until)
    history, notes = record.history, notes_on(record)
    artifacts: list[ModelArtifact] = []
    skill: dict[str, Any] = {}
    for horizon_sec in plan.horizons_sec:
        hours = horizon_sec // 3_600
        progress(f"Fitting {plan.kind} for {hours} h on {len(history)} events")
        try:
            forecaster = _fit(region, history, plan, horizon_sec)
        except EngineError as error:
            notes.append(f"{hours} h cannot be forecast: {error}")
            continue
        progress(f"Back-testing {plan.kind} for {hours} h against {BASELINE}")
        skill[str(horizon_sec)] = _measure_skill(region, history, plan, horizon_sec)
        artifacts.append(new_artifact(dump_artifact(forecaster), horizon_sec))
    for note in notes:
        progress(f"Note: {note}")
    if not artifacts:
        raise TooFewEventsError(
            f"No model of {region.slug!r} was fitted. {' '.join(notes)}",
            region=region.slug,
        )
    version = ModelVersion(
        region=region,
        kind=plan.kind,
        trained_from=datetime.fromtimestamp(float(history.occurred_s[0]), tz=UTC),
        trained_until=plan.until,
        event_count=len(history),
        skill=skill,
        notes=notes,
    )
    return register_version(version, artifacts)


def _fit(
    region: Region, history: EventHistory, plan: TrainingPlan, horizon_sec: int
) -> Forecaster:
    return fit_forecaster(
        history,
        plan.grid,
        horizon_s=horizon_sec,
        timezone=region.timezone,
        until_s=plan.until.timestamp(),
        kind=plan.kind,
    )


def _measure_skill(
    region: Region, history: EventHistory, plan: TrainingPlan, horizon_sec: int
) -> dict[str, Any] | None:
    """Back-test on the end of the record; None where the record is too short."""
    record_s = float(history.occurred_s[-1] - history.occurred_s[0])
    n_origins = min(MOST_ORIGINS, int(BACKTEST_SHARE * record_s / horizon_sec))
    if n_origins < FEWEST_ORIGINS:
        return None
    test = BacktestPlan(
        kind=plan.kind,
        baselines=(BASELINE,),
        horizon_s=horizon_sec,
        n_origins=n_origins,
        timezone=region.timezone,
    )
    try:
        return backtest(history, plan.grid, plan=test).as_dict()
    except EngineError:
        return None


@transaction.atomic
def register_version(
    version: ModelVersion,
    artifacts: Sequence[ModelArtifact],
    *,
    number: int | None = None,
) -> ModelVersion:
    """Store a version and its artifacts, none of which is stored yet, as a candidate.

    Without a `number` it gets the next one of its region.

    Raises
    ------
    ModelStateError
        Its number is taken.
    """
    # Two fits of one region at once must not take one number.
    lock_region(version.region)
    versions = ModelVersion.objects.of_region(version.region)
    newest = versions.aggregate(newest=Max("number"))["newest"] or 0
    version.number = newest + 1 if number is None else number
    if versions.filter(number=version.number).exists():
        raise ModelStateError(
            f"Region {version.region.slug!r} has a model version {version.number} "
            "already."
        )
    version.state = ModelVersion.State.CANDIDATE
    version.save(force_insert=True)
    for artifact in artifacts:
        artifact.model_version = version
    ModelArtifact.objects.bulk_create(artifacts)
    return version


def new_artifact(body: bytes, horizon_sec: int) -> ModelArtifact:
    return ModelArtifact(horizon_sec=horizon_sec, digest=digest_of(body), body=body)


def queue_fit(
    region: Region, *, kind: str = SERVED_KIND, organisation: Organisation | None = None
) -> Job:
    """Have a model version of a region fitted; one at a time for each family."""
    return enqueue_job(
        FIT,
        parameters={"region": region.slug, "kind": kind},
        organisation=organisation,
        is_single=True,
    )


def queue_due_renewals() -> int:
    """Have forecasts made for each region whose champion has none for the present."""
    champions = ModelVersion.objects.champions().select_related("region")
    count = 0
    for champion in champions.defer("region__boundary", "skill"):
        region = champion.region
        own = Forecast.objects.filter(model_version=champion)
        if not own.filter(issued_for=issue_instant(region)).exists():
            parameters = {"region": region.slug}
            enqueue_job(RENEW, parameters=parameters, organisation=None, is_single=True)
            count += 1
    return count
