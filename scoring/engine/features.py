"""The features of every cell at an instant, all on a scale a log-linear model likes."""

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from scoring.engine.aggregates import CellAggregates
from scoring.engine.arrays import Flags, Floats, product
from scoring.engine.grid import RING_RADII, Grid
from scoring.engine.state import DAY_S, SCALES_S

WEEK_DAYS: Final = 7.0
YEAR_DAYS: Final = 365.2425
WEEK_HARMONICS: Final = 3
DAY_HARMONICS: Final = 2
YEAR_HARMONICS: Final = 2
YEARS_FOR_SEASONS: Final = 1.6
PRIOR_EVENTS: Final = 2.0
SMALLEST_RATE_SHARE: Final = 0.02
WAVES: Final = ("sin", "cos")
HARMONIC: Final = re.compile(r"(?P<season>week|day|year)\d_(sin|cos)$")
# The mean rate of the grid: turns log rates over their floor back into rates.
SCALE_FEATURE: Final = "log_mean_rate"
# How far the neighbourhood mean of the long-run rate leans on each ring.
RING_WEIGHTS: Final = (0.1, 0.3, 0.4, 0.2)


def feature_names() -> tuple[str, ...]:
    """Names of the columns of `feature_matrix`, in order."""
    return (
        *(f"log_rate_ring{r}_{_label(s)}" for s in SCALES_S for r in RING_RADII),
        "log_long_run_shrunk",
        "log_long_run_raw",
        "log_count_1d",
        "log_count_7d",
        "log_count_28d",
        "log_days_since_last",
        "log_level",
        "log_area",
        *_harmonic_names("week", WEEK_HARMONICS),
        *_harmonic_names("day", DAY_HARMONICS),
        *_harmonic_names("year", YEAR_HARMONICS),
        "east",
        "north",
        *(f"{axis}_year1_{wave}" for axis in ("east", "north") for wave in WAVES),
        SCALE_FEATURE,
    )


def feature_matrix(
    grid: Grid, aggregates: CellAggregates, instant_s: float, timezone: str
) -> Floats:
    """Describe every cell by what was known at an instant.

    Parameters
    ----------
    grid : Grid
    aggregates : CellAggregates
        As of `instant_s`.
    instant_s : float
        Unix seconds.
    timezone : str
        IANA zone of the region; seasons of the day and week follow its wall clock.

    Returns
    -------
    ndarray of shape (n_cells, n_features)
        Columns as in `feature_names`; rates are events per day and cell, in natural
        logarithms over a floor proportional to the mean rate of the grid, so that
        the features do not depend on how busy a region is.
    """
    record_days = max((instant_s - aggregates.observed_since_s) / DAY_S, 1.0)
    mean_rate = max(float(aggregates.count.mean()), 1.0 / len(grid)) / record_days
    seasons = season_values(instant_s, timezone)
    columns = [
        ring_rates(grid, aggregates.excitation, floor=mean_rate * SMALLEST_RATE_SHARE),
        _activity(grid, aggregates, instant_s, record_days, mean_rate),
        np.broadcast_to(seasons, (len(grid), seasons.size)),
        _place(grid, seasons),
        np.full((len(grid), 1), np.log(mean_rate)),
    ]
    return np.hstack(columns)


def usable_columns(*, horizon_s: float, span_s: float) -> Flags:
    """Columns that a model of a horizon may lean on, given the span of its record.

    The mean rate of the grid only serves to turn logarithms back into rates. A season
    says nothing about windows at least as long as its period, and in a short record
    the year cannot be told from a trend.
    """
    is_useful = {
        "week": horizon_s < WEEK_DAYS * DAY_S,
        "day": horizon_s < DAY_S,
        "year": span_s >= YEARS_FOR_SEASONS * YEAR_DAYS * DAY_S,
    }
    unusable = {SCALE_FEATURE}
    for name in feature_names():
        harmonic = HARMONIC.search(name)
        if harmonic and not is_useful[harmonic["season"]]:
            unusable.add(name)
    return np.array([name not in unusable for name in feature_names()])


def ring_rates(grid: Grid, excitation: Floats, *, floor: float) -> Floats:
    """Log of the excitation rate per scale and ring, (n_cells, n_scales * n_rings)."""
    rates = excitation * (DAY_S / np.asarray(SCALES_S))
    means = np.stack([product(ring, rates) for ring in grid.rings], axis=2)
    return np.log(means.reshape(len(grid), -1) + floor)


def long_run_rate(grid: Grid, count: Floats, *, record_days: float) -> Floats:
    """Events per day of each cell, shrunk towards its neighbourhood, (n_cells,).

    The mean of the gamma posterior whose prior is worth `PRIOR_EVENTS` events at the
    rate of the neighbourhood (empirical Bayes, Clayton & Kaldor 1987).
    """
    around = np.zeros_like(count)
    for weight, ring in zip(RING_WEIGHTS, grid.rings, strict=True):
        around += weight * product(ring, count)
    floor = max(float(count.mean()), 1.0 / count.size) * SMALLEST_RATE_SHARE
    prior_rate = (around + floor) / record_days
    return (PRIOR_EVENTS + count) / (PRIOR_EVENTS / prior_rate + record_days)


def season_values(instant_s: float, timezone: str) -> Floats:
    """Fourier terms of the week, day and year on the wall clock of a zone."""
    local = datetime.fromtimestamp(instant_s, tz=ZoneInfo(timezone))
    day = (local.hour + local.minute / 60.0 + local.second / 3600.0) / 24.0
    week = (local.weekday() + day) / WEEK_DAYS
    year = (local.timetuple().tm_yday - 1 + day) / YEAR_DAYS
    return np.array(
        [
            *_harmonics(week, WEEK_HARMONICS),
            *_harmonics(day, DAY_HARMONICS),
            *_harmonics(year, YEAR_HARMONICS),
        ]
    )


def _activity(
    grid: Grid,
    aggregates: CellAggregates,
    instant_s: float,
    record_days: float,
    mean_rate: float,
) -> Floats:
    shrunk = long_run_rate(grid, aggregates.count, record_days=record_days)
    raw = aggregates.count / record_days + mean_rate * SMALLEST_RATE_SHARE
    since_last = (instant_s - aggregates.last_occurred_s) / DAY_S
    window_days = min(28.0, record_days)
    recent_rate = (float(aggregates.count_28d.sum()) + 1.0) / window_days
    level = np.log(recent_rate / (mean_rate * len(grid)))
    return np.column_stack(
        [
            np.log(shrunk),
            np.log(raw),
            np.log1p(aggregates.count_1d),
            np.log1p(aggregates.count_7d),
            np.log1p(aggregates.count_28d),
            np.log1p(np.where(np.isnan(since_last), record_days, since_last)),
            np.full(len(grid), level),
            np.log(grid.area_km2 / grid.area_km2.mean()),
        ]
    )


def _place(grid: Grid, seasons: Floats) -> Floats:
    """Position in the grid and its interplay with the annual cycle, (n_cells, 6)."""
    year_start = 2 * (WEEK_HARMONICS + DAY_HARMONICS)
    annual = seasons[year_start : year_start + 2]
    axes = [_scaled(grid.lon), _scaled(grid.lat)]
    return np.column_stack([*axes, *(axis * wave for axis in axes for wave in annual)])


def _scaled(values: Floats) -> Floats:
    half_range = max((values.max() - values.min()) / 2.0, 1e-9)
    return np.asarray((values - (values.max() + values.min()) / 2.0) / half_range)


def _harmonics(phase: float, n_harmonics: int) -> list[float]:
    angles = [2.0 * np.pi * k * phase for k in range(1, n_harmonics + 1)]
    return [float(wave(angle)) for angle in angles for wave in (np.sin, np.cos)]


def _harmonic_names(season: str, n_harmonics: int) -> list[str]:
    return [f"{season}{k}_{wave}" for k in range(1, n_harmonics + 1) for wave in WAVES]


def _label(scale_s: float) -> str:
    if scale_s < DAY_S:
        return f"{scale_s / 3600:.0f}h"
    return f"{scale_s / DAY_S:.0f}d"
