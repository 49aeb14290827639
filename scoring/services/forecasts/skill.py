"""Write forecasts to the ledger, and score them once their horizon has passed.

The ledger takes a repetition as the same rows again, so that whatever a crash left
out, or left in doubt, is simply written once more.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

import numpy as np
from django.conf import settings
from django.db import Error, transaction
from django.db.models import QuerySet
from django.utils import timezone

from analytics.reads.features import event_columns
from analytics.store.ledger import ForecastKey, record_forecast, record_outcomes
from scoring.arrays import ForecastColumns, named_arrays
from scoring.engine import skill
from scoring.engine.arrays import Floats
from scoring.engine.consistency import number_test
from scoring.engine.models.long_run import LongRunCount
from scoring.engine.snapshots import Snapshot
from scoring.metrics import FORECASTS_SCORED
from scoring.models import Cell, Forecast, ForecastSkill, Region
from scoring.selectors.events import extent_until_now, load_snapshot
from scoring.selectors.forecasts import get_columns
from scoring.selectors.regions import grid_of_region

MOST_AT_ONCE = 200
PSEUDO_EVENTS = 0.1
AREA_SHARES = (0.01, 0.05, 0.1)
# Bins of P(at least one event), the same for all forecasts, so that sums add up.
PROBABILITY_EDGES = np.geomspace(1e-4, 1.0, 13)[:-1]
MOST_WRITTEN = 100

logger = logging.getLogger(__name__)


def score_due_forecasts(*, limit: int = MOST_AT_ONCE) -> int:
    """Score the forecasts whose outcome is known, the oldest first.

    The record of events has to reach beyond the horizon: a feed that has stopped
    looks like quiet times, and is no outcome. Outcomes go to the ledger, so forecasts
    that are not in it yet wait.
    """
    count = 0
    for region in Region.objects.defer("boundary").order_by("slug"):
        due = _list_due(region, limit=limit - count)
        if due:
            count += _score_region(region, due)
    return count


def count_due_forecasts(*, limit: int = MOST_AT_ONCE) -> int:
    """Count the forecasts that would be scored, where all are in the ledger."""
    count = 0
    for region in Region.objects.defer("boundary"):
        count += len(_list_due(region, limit=limit - count))
    return count


def _list_due(region: Region, *, limit: int) -> list[Forecast]:
    recorded = Forecast.objects.of_region(region).exclude(ledgered_at=None)
    unscored = recorded.filter(skill=None)
    if limit <= 0 or not unscored.exists():
        return []
    last = extent_until_now(region).last_occurred_at
    if last is None:
        return []
    embargo = timedelta(seconds=settings.FORECAST_EMBARGO_S)
    known_until = min(last, timezone.now() - embargo)
    passed = _passed_by(unscored, known_until).select_related("model_version")
    order = ("issued_for", "model_version__trained_from", "pk")
    return list(passed.defer("model_version__skill").order_by(*order)[:limit])


def _passed_by(
    forecasts: QuerySet[Forecast], known_until: datetime
) -> QuerySet[Forecast]:
    """Databases differ in sums of times and seconds; there are few horizons."""
    horizons = forecasts.order_by().values_list("horizon_sec", flat=True).distinct()
    passed = forecasts.none()
    for horizon_sec in sorted(set(horizons)):
        latest = known_until - timedelta(seconds=horizon_sec)
        passed |= forecasts.filter(horizon_sec=horizon_sec, issued_for__lte=latest)
    return passed


def _score_region(region: Region, due: list[Forecast]) -> int:
    grid = grid_of_region(region)
    areas = Cell.objects.filter(region=region).order_by("h3")
    area_km2 = np.array(areas.values_list("area_km2", flat=True), dtype=np.float64)
    count = 0
    # At what instant, and from when on, events are known to a forecast.
    record_of = attrgetter("issued_for", "model_version.trained_from")
    for (instant, since), forecasts in groupby(due, key=record_of):
        snapshot = load_snapshot(region, grid, instant=instant, since=since)
        for forecast in forecasts:
            columns = get_columns(forecast)
            observed = observed_counts(forecast, region, columns)
            # First, so that a crash before the skill is stored repeats both.
            record_outcomes(
                _key(forecast),
                columns.cells,
                observed.astype(np.int64),
                observed_at=timezone.now(),
            )
            values = _values(forecast, columns, observed, snapshot, area_km2)
            with transaction.atomic():
                _, is_new = ForecastSkill.objects.get_or_create(
                    forecast=forecast, defaults=values
                )
            if is_new:
                FORECASTS_SCORED.labels(str(forecast.horizon_sec)).inc()
                count += 1
    return count


def _values(
    forecast: Forecast,
    columns: ForecastColumns,
    observed: Floats,
    snapshot: Snapshot,
    area_km2: Floats,
) -> dict[str, Any]:
    """Compare with the long-run rates too; areas are those of the region's cells."""
    rows = snapshot.grid.index_of(columns.cells)
    reference = LongRunCount(
        horizon_s=forecast.horizon_sec, pseudo_events=PSEUDO_EVENTS
    ).mean_of(snapshot)[rows]
    values = skill_values(
        columns, observed, reference=reference, region_alpha=forecast.region_alpha
    )
    areas = area_km2[rows]
    values["figures"] |= {
        # False for one made afterwards, as a hindcast is.
        "was_made_in_time": forecast.created_at < forecast.valid_until,
        "hit_rate": {
            str(share): skill.hit_rate(columns.mean, observed, areas, share=share)
            for share in AREA_SHARES
        },
    }
    return values


def observed_counts(
    forecast: Forecast, region: Region, columns: ForecastColumns
) -> Floats:
    """Count the events of each cell within the horizon, shape (n_cells,)."""
    events = event_columns(
        region.slug, since=forecast.issued_for, until=forecast.valid_until
    )
    indices = np.searchsorted(columns.cells, events.cell)
    indices = indices.clip(max=columns.cells.size - 1)
    inside = indices[columns.cells[indices] == events.cell]
    return np.bincount(inside, minlength=columns.cells.size).astype(np.float64)


def skill_values(
    columns: ForecastColumns,
    observed: Floats,
    *,
    reference: Floats,
    region_alpha: float,
) -> dict[str, Any]:
    """Give the columns of `ForecastSkill` for one forecast.

    Parameters
    ----------
    columns
    observed, reference
        Events in each cell, and those that long-run rates expect, (n_cells,).
    region_alpha
        Dispersion of the total.
    """
    event_count = int(observed.sum())
    expected = float(columns.mean.sum())
    number = number_test(event_count, expected, alpha=region_alpha)
    scores = skill.nb_log_score(columns.mean, columns.alpha, observed)
    gain = skill.information_gain(columns.mean, reference, observed)
    poisson = skill.poisson_log_score(columns.mean, observed)
    figures = {
        "expected_count": expected,
        "poisson_log_score": float(poisson.sum()),
        "reliability": list(_reliability(columns.p_event, observed)),
        "coverage_90": skill.interval_coverage(observed, columns.mean, columns.alpha),
    }
    return {
        "observed_count": event_count,
        "log_score": float(scores.sum()),
        "brier_score": skill.brier_score(columns.p_event, observed),
        "gain": gain if event_count else None,
        "n_test_low": number.at_least,
        "n_test_high": number.at_most,
        "figures": figures,
    }


def _reliability(p_event: Floats, observed: Floats) -> Iterator[list[float]]:
    """Give cases, sums of probabilities and cases that happened, bin by bin."""
    bins = np.searchsorted(PROBABILITY_EDGES, p_event, side="right")
    happened = (observed > 0).astype(np.float64)
    for weights in (np.ones(p_event.size), p_event, happened):
        sums = np.bincount(bins, weights, minlength=PROBABILITY_EDGES.size + 1)
        yield [round(float(total), 9) for total in sums]


def write_missing_forecasts(*, limit: int = MOST_WRITTEN) -> int:
    """Write the forecasts that the ledger does not have, the oldest first.

    What cannot be written now stays missing and is tried again next time.
    """
    missing = (
        Forecast.objects.filter(ledgered_at=None)
        .select_related("region", "model_version")
        .defer("region__boundary", "model_version__skill")
        .order_by("created_at", "pk")
    )
    count = 0
    for forecast in missing[:limit]:
        try:
            columns = get_columns(forecast)
            record_forecast(
                _key(forecast),
                columns.cells,
                named_arrays(columns),
                model_version=str(forecast.model_version),
                horizon_s=forecast.horizon_sec,
            )
        except Error:
            logger.warning("the ledger does not take forecasts", exc_info=True)
            break
        Forecast.objects.filter(pk=forecast.pk).update(ledgered_at=timezone.now())
        count += 1
    return count


def _key(forecast: Forecast) -> ForecastKey:
    return ForecastKey(
        forecast_id=forecast.pk,
        region=forecast.region.slug,
        issued_for=forecast.issued_for,
    )
