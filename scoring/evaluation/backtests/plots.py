"""The plots of a back-test, as SVG, and the figures that they show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, pairwise
from typing import Final

import numpy as np

from riskplatform.kernel.svg import PALETTE, Axis, Chart, linear_axis
from scoring.engine.arrays import Flags, Floats
from scoring.engine.consistency import SIGNIFICANCE
from scoring.engine.distributions import event_probability
from scoring.engine.forecast_tables import ForecastTable
from scoring.engine.grid import Grid
from scoring.engine.report import Reliability
from scoring.engine.scores import transform_histogram
from scoring.engine.skill import cumulative, excess_by_bin, hit_rate, reliability
from scoring.engine.uncertainty import half_width

DIAGONAL: Final = "#999999"
OUTSIDE: Final = "#d55e00"
SHARE_TICKS: Final = (0.005, 0.01, 0.02, 0.05, 0.10, 0.20, 0.50, 1.0)
N_DATE_TICKS: Final = 6
SMALLEST_SHOWN: Final = 1e-6
CURVE_SHARES: Final = (
    *(0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07),
    *(0.10, 0.14, 0.20, 0.28, 0.40, 0.55, 0.75, 1.0),
)
MOST_EVENTS: Final = 100_000
TWO_SIDED_95: Final = 1.96


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NumberSeries:
    """The region's total in each window, arrays of shape (n_origins,).

    The N-test passes where `low <= observed <= high`.
    """

    origins_s: Floats
    expected: Floats
    low: Floats
    high: Floats
    observed: Floats

    @property
    def is_passed(self) -> Flags:
        inside = (self.low <= self.observed) & (self.observed <= self.high)
        return np.asarray(inside)


def reliability_plot(
    bins: Reliability, half_widths: Floats, *, n_cases: int, title: str
) -> str:
    """Draw how often events came against how often they were forecast, with counts.

    `half_widths` are those of the frequencies if forecasts are right, (n_bins,).
    """
    forecast, frequency = np.array(bins.forecast), np.array(bins.frequency)
    counts = np.array(bins.share) * n_cases
    ticks = _log_ticks(np.concatenate([forecast, frequency]))
    low, high = ticks[0][0], ticks[-1][0]
    chart = Chart(
        title,
        note=f"Each point: {counts.mean():,.0f} cells and windows; beside it how many "
        "of them saw an event. Grey: 95 % if right.",
        x=_probability_axis("forecast probability of an event", ticks),
        y=_probability_axis("observed frequency", ticks),
    )
    chart.line([(low, low), (high, high)], colour=DIAGONAL, dash="5 4", width=1.5)
    for p, half in zip(forecast.tolist(), half_widths.tolist(), strict=True):
        bar = [(p, max(p - half, low)), (p, min(p + half, high))]
        chart.line(bar, colour=DIAGONAL, width=6.0)
    points = list(zip(forecast.tolist(), frequency.tolist(), strict=True))
    chart.points(points, colour=PALETTE[0], radius=5.0)
    for (p, seen), n in zip(points, counts.tolist(), strict=True):
        chart.label(p, seen, f"{seen * n:,.0f}", is_below=seen < p)
    return chart.svg()


def accuracy_plot(curves: Mapping[str, Floats], *, title: str) -> str:
    """Draw PAI against the flagged share of the area, one line a model."""
    highest = max(float(curve.max()) for curve in curves.values())
    chart = Chart(
        title,
        note="PAI = share of events caught / share of area flagged; higher is better, "
        "1 is chance.",
        x=Axis(
            label="flagged share of the area (%)",
            low=CURVE_SHARES[0],
            high=CURVE_SHARES[-1],
            ticks=[(share, f"{share * 100:g}") for share in SHARE_TICKS],
            is_log=True,
        ),
        y=linear_axis("PAI (ratio)", 0.0, highest),
    )
    chart.line([(CURVE_SHARES[0], 1.0), (1.0, 1.0)], colour=DIAGONAL, dash="5 4")
    colours = dict(zip(curves, cycle(PALETTE), strict=False))
    chart.name_all(colours)
    # The model under test comes first and is drawn last, over the others.
    for name, curve in reversed(list(curves.items())):
        points = zip(CURVE_SHARES, curve.tolist(), strict=True)
        width = 3.0 if name == next(iter(curves)) else 1.5
        chart.line(points, colour=colours[name], width=width)
    return chart.svg()


def number_plot(series: NumberSeries, *, title: str) -> str:
    """Draw the region's total over time with the band in which the N-test passes."""
    origins = series.origins_s.tolist()
    highest = float(max(series.high.max(), series.observed.max()))
    passed = series.is_passed
    chart = Chart(
        title,
        note=f"N-test passed in {int(passed.sum())} of {passed.size} windows "
        f"({100 * passed.mean():.0f} %; 95 % is right).",
        x=_time_axis(origins),
        y=linear_axis("events in the region per window", 0.0, highest),
    )
    bounds = zip(origins, series.low.tolist(), series.high.tolist(), strict=True)
    chart.band(list(bounds), colour=PALETTE[5], name="acceptance band, 95 %")
    expected = zip(origins, series.expected.tolist(), strict=True)
    chart.line(expected, colour=PALETTE[0], name="expected", width=1.5)
    for name, colour, shown in (
        ("observed, inside", "#222222", passed),
        ("observed, outside", OUTSIDE, ~passed),
    ):
        points = zip(
            series.origins_s[shown].tolist(),
            series.observed[shown].tolist(),
            strict=True,
        )
        chart.points(points, colour=colour, name=name, radius=2.5)
    return chart.svg()


def transform_plot(
    cells: Sequence[float], region: Sequence[float], *, title: str
) -> str:
    """Draw the histogram of the probability integral transform: flat is right."""
    edges = np.linspace(0.0, 1.0, len(cells) + 1).tolist()
    highest = max(*cells, *region, 2.0 / len(cells))
    chart = Chart(
        title,
        note="Flat is right; a hump means intervals too wide, high ends mean too "
        "narrow, a slope a wrong level.",
        x=linear_axis("probability integral transform", 0.0, 1.0),
        y=linear_axis("share of cases", 0.0, highest),
    )
    spans = list(pairwise(edges))
    bars = [(a, b, high) for (a, b), high in zip(spans, cells, strict=True)]
    chart.bars(bars, colour=PALETTE[5], name="cells")
    steps = [
        (edge, high) for span, high in zip(spans, region, strict=True) for edge in span
    ]
    chart.line(steps, colour=PALETTE[1], name="region total")
    right = 1.0 / len(cells)
    chart.line([(0.0, right), (1.0, right)], colour=DIAGONAL, dash="5 4", width=1.5)
    return chart.svg()


def _probability_axis(label: str, ticks: Sequence[tuple[float, str]]) -> Axis:
    low, high = ticks[0][0], ticks[-1][0]
    return Axis(label=label, low=low, high=high, ticks=ticks, is_log=True)


def _log_ticks(values: Floats) -> list[tuple[float, str]]:
    """Round numbers around the positive values; powers of ten where they span far."""
    positive = values[values > 0]
    least = max(float(positive.min()) if positive.size else 0.1, SMALLEST_SHOWN)
    most = float(positive.max()) if positive.size else 1.0
    round_numbers = [
        digit * 10.0**power for power in range(-9, 1) for digit in (1.0, 2.0, 5.0)
    ]
    below = max(number for number in round_numbers if number <= least)
    above = min(number for number in round_numbers if number >= min(most, 1.0))
    inside = [n for n in round_numbers if below <= n <= above]
    if above > 200 * below:
        powers = [n for n in inside if f"{n:e}".startswith("1")]
        inside = sorted({below, *powers, above})
    return [(number, f"{number:g}") for number in inside]


def _time_axis(origins_s: Sequence[float]) -> Axis:
    low, high = origins_s[0], origins_s[-1]
    instants = np.linspace(low, high, N_DATE_TICKS).tolist()
    ticks = [
        (instant, datetime.fromtimestamp(instant, tz=UTC).date().isoformat())
        for instant in instants
    ]
    return Axis(label="origin of the forecast (UTC)", low=low, high=high, ticks=ticks)


def accuracy_curve(table: ForecastTable, grid: Grid) -> Floats:
    """PAI at each of `CURVE_SHARES`, shape (n_shares,)."""
    hits = [
        hit_rate(table.mean, table.observed, grid.area_km2, share=share)
        for share in CURVE_SHARES
    ]
    return np.asarray(np.array(hits) / np.array(CURVE_SHARES))


def number_series(table: ForecastTable) -> NumberSeries:
    """Totals with the band in which the negative binomial N-test passes at 5 %."""
    expected = table.mean.sum(axis=1)
    alpha = table.calibration.region_dispersion.alpha(expected)
    tail = SIGNIFICANCE / 2
    return NumberSeries(
        origins_s=table.origins_s,
        expected=expected,
        low=smallest_count_above(tail, expected, alpha),
        high=smallest_count_above(1.0 - tail, expected, alpha),
        observed=table.observed.sum(axis=1),
    )


def smallest_count_above(level: float, mean: Floats, alpha: Floats) -> Floats:
    """Smallest number whose cumulative NB2 probability exceeds `level`, (n,)."""
    low, high = np.full(mean.shape, -1.0), np.ones(mean.shape)
    while (short := cumulative(high, mean, alpha) <= level).any():
        high = np.where(short, 2.0 * high, high)
        if high.max() > MOST_EVENTS:
            break
    while (high - low > 1.0).any():
        middle = np.floor((low + high) / 2.0)
        enough = cumulative(middle, mean, alpha) > level
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.asarray(high)


def reliability_half_widths(table: ForecastTable) -> Floats:
    """Half the 95 % interval of each bin's frequency if forecasts are right, (n_bins,).

    The wider of that of independent cells and the one that whole windows show: cells
    of a window, and neighbouring windows, rise and fall together.
    """
    probability = event_probability(table.mean, table.alpha)
    excess, cases = excess_by_bin(probability, table.observed)
    forecast, _, share = reliability(probability, table.observed)
    variance = forecast * (1.0 - forecast) / (share * probability.size)
    seen = [
        half_width(*windows) or 0.0 for windows in zip(excess.T, cases.T, strict=True)
    ]
    return np.asarray(np.maximum(TWO_SIDED_95 * np.sqrt(variance), seen))


def region_transform(table: ForecastTable) -> Floats:
    """Histogram of the probability integral transform of the totals, (n_bins,)."""
    expected = table.mean.sum(axis=1)
    alpha = table.calibration.region_dispersion.alpha(expected)
    return transform_histogram(table.observed.sum(axis=1), expected, alpha)
