"""Fit model versions, register them, and serve what they forecast."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from perf.jobs.models import Job
from perf.jobs.queue import enqueue_job
from riskplatform.api.keys.models import Organisation
from scoring.engine.grid import Grid
from scoring.errors import TooFewEventsError
from scoring.horizons import SERVED_HORIZONS_SEC, SERVED_KIND
from scoring.metrics import FIT_SECONDS
from scoring.models import Forecast, ModelVersion, Region
from scoring.selectors.events import extent_until_now
from scoring.selectors.model_versions import find_champion
from scoring.selectors.regions import grid_of_region
from scoring.services.forecasts.publishing import (
    issue_instant,
    minute_after,
    publish_version,
)
from scoring.services.regions import grow_region
from scoring.services.registry.promotion import promote
from scoring.services.registry.training import (
    Progress,
    TrainingPlan,
    measure_skill,
    train_model_version,
)

MIN_EVENTS = 200
# Reading, publishing, and for each horizon a fit and a back-test.
FIT_STEPS: Final = 2 + 2 * len(SERVED_HORIZONS_SEC)
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
    issued_for, event_count = instant_after_last_event(region)
    grow_region(region)
    grid = grid_of_region(region)
    started = time.perf_counter()
    plan = TrainingPlan(
        grid=grid, until=issued_for, horizons_sec=SERVED_HORIZONS_SEC, kind=kind
    )
    steps = Steps(progress, total=FIT_STEPS)
    training = train_model_version(region, plan=plan, progress=steps)
    model_version, fitted = training.version, time.perf_counter()
    for note in model_version.notes:
        progress(f"Note: {note}")
    forecasts = _serve(model_version, grid, issued_for, forced_because, steps)
    served = time.perf_counter()
    # Last, because the map need not wait for it.
    measure_skill(training, progress=steps)
    tested_s = time.perf_counter() - served
    FIT_SECONDS.labels(kind).observe(fitted - started + tested_s)
    return FittedRegion(
        model_version=model_version,
        forecasts=forecasts,
        grid=grid,
        event_count=event_count,
        fit_seconds=fitted - started + tested_s,
        forecast_seconds=served - fitted,
    )


class Steps:
    """Says which of how many steps begins, and about how long the rest will take."""

    def __init__(self, say: Progress, *, total: int) -> None:
        self._say = say
        self._total = total
        self._begun = 0
        self._started_s = time.perf_counter()

    def __call__(self, line: str) -> None:
        done, left = self._begun, ""
        self._begun = min(self._begun + 1, self._total)
        if done > 1:
            elapsed_s = time.perf_counter() - self._started_s
            left = f", about {elapsed_s / done * (self._total - done):.0f} s left"
        self._say(f"{line} (step {self._begun} of {self._total}{left})")


def instant_after_last_event(region: Region) -> tuple[datetime, int]:
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
    progress(f"Forecasting for {len(grid):,} cells")
    forecasts = publish_version(fitted, grid=grid, issued_for=issued_for)
    promote(fitted, actor="refresh", forced_because=forced_because)
    for forecast in forecasts:
        forecast.refresh_from_db(fields=("is_shadow", "served_at"))
    return forecasts


def queue_fit(
    region: Region, *, kind: str = SERVED_KIND, organisation: Organisation | None = None
) -> Job:
    """Have a model version of a region fitted; one at a time for each family."""
    return enqueue_job(
        FIT,
        parameters={"region": region.slug, "kind": kind},
        organisation=organisation,
        total=FIT_STEPS,
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
