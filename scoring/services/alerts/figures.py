"""Where an alert rule fires: connected areas of cells over its threshold."""

from dataclasses import dataclass
from functools import cached_property

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from scoring.arrays import ForecastColumns
from scoring.errors import NotAssessableError
from scoring.models import AlertRule, AssetPlace, Forecast, Region
from scoring.selectors.assessment_figures import quantile_text
from scoring.selectors.forecasts import get_columns, riskiest_first
from scoring.services.assessments import assess_against

# What was next to nothing before makes a change large, but never infinite.
SMALLEST_BEFORE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class HotArea:
    """Cells that touch, hottest first, with the figure of each."""

    cells: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def worst_value(self) -> float:
        return self.values[0]

    @property
    def worst_place(self) -> tuple[float, float]:
        """Latitude and longitude of the worst cell, degrees."""
        lat, lon = h3.cell_to_latlng(self.cells[0])
        return lat, lon


def find_hot_areas(
    cells: NDArray[np.uint64], values: NDArray[np.float64], *, threshold: float
) -> list[HotArea]:
    """Join the cells at or above a threshold that are neighbours, hottest first."""
    is_hot = values >= threshold
    hot = dict(zip(cells[is_hot].tolist(), values[is_hot].tolist(), strict=True))
    areas = []
    left = set(hot)
    for cell in _hottest_first(hot):
        if cell in left:
            area = _connected(cell, left)
            areas.append(area_of({member: hot[member] for member in area}))
    return areas


def area_of(figures: dict[int, float]) -> HotArea:
    """Make one area of some cells; ties go by the index of the cell."""
    cells = _hottest_first(figures)
    return HotArea(cells=tuple(cells), values=tuple(figures[cell] for cell in cells))


def joined(areas: list[HotArea]) -> HotArea:
    """Make one area of several that have no cell in common."""
    return area_of(
        {
            cell: value
            for area in areas
            for cell, value in zip(area.cells, area.values, strict=True)
        }
    )


def _hottest_first(figures: dict[int, float]) -> list[int]:
    return sorted(figures, key=lambda cell: (-figures[cell], cell))


def _connected(start: int, left: set[int]) -> set[int]:
    """Take the cells out of `left` that can be reached from `start` through it."""
    left.discard(start)
    area, edge = {start}, [start]
    while edge:
        near = left.intersection(h3.grid_disk(edge.pop(), 1))
        left -= near
        area |= near
        edge.extend(near)
    return area


@dataclass(frozen=True, kw_only=True)
class ForecastPair:
    """A forecast and the one before it; their arrays are read at most once."""

    forecast: Forecast

    @cached_property
    def region(self) -> Region:
        return Region.objects.defer("boundary").get(pk=self.forecast.region_id)

    @cached_property
    def before(self) -> Forecast | None:
        """Return the newest served forecast of the horizon for an earlier instant."""
        return (
            Forecast.objects.served()
            .for_horizon(self.forecast.horizon_sec)
            .filter(
                region_id=self.forecast.region_id,
                issued_for__lt=self.forecast.issued_for,
            )
            .newest_first()
            .first()
        )

    @cached_property
    def columns(self) -> ForecastColumns:
        return get_columns(self.forecast)

    @cached_property
    def columns_before(self) -> ForecastColumns | None:
        return None if self.before is None else get_columns(self.before)


def hot_areas_of(rule: AlertRule, pair: ForecastPair) -> list[HotArea]:
    """Return the areas in which a rule fires, hottest first."""
    if rule.metric == AlertRule.Metric.TVAR:
        return _portfolio_area(rule, pair)
    now = pair.columns.take(_watched(rule, pair.columns.cells))
    figures = _figure(rule, now)
    if rule.comparison == AlertRule.Comparison.CHANGE:
        if pair.columns_before is None:
            return []
        figures = figures / _figures_before(rule, now.cells, pair.columns_before)
    return find_hot_areas(now.cells, figures, threshold=rule.threshold)


def _portfolio_area(rule: AlertRule, pair: ForecastPair) -> list[HotArea]:
    """Take the cells with assets as one area, those of the highest risk first."""
    figure = _portfolio_tvar(rule, pair.forecast)
    if figure is None:
        return []
    if rule.comparison == AlertRule.Comparison.CHANGE:
        before = None if pair.before is None else _portfolio_tvar(rule, pair.before)
        if before is None:
            return []
        figure /= max(before, SMALLEST_BEFORE)
    if figure < rule.threshold:
        return []
    watched = pair.columns.take(_watched(rule, pair.columns.cells))
    ordered = riskiest_first(watched, limit=watched.cells.size)
    cells = tuple(ordered.cells.tolist())
    return [HotArea(cells=cells, values=(figure,) * len(cells))] if cells else []


def _portfolio_tvar(rule: AlertRule, forecast: Forecast) -> float | None:
    """Return the TVaR of the rule's portfolio; None if there is nothing to lose."""
    if rule.portfolio is None or rule.quantile is None:
        return None
    forecast.region = rule.region
    try:
        assessment = assess_against(rule.portfolio, forecast, quantiles=[rule.quantile])
    except NotAssessableError:
        return None
    return float(assessment.figures["tvar"][quantile_text(rule.quantile)])


def _figure(rule: AlertRule, columns: ForecastColumns) -> NDArray[np.float64]:
    is_probability = rule.metric == AlertRule.Metric.P_EVENT
    return columns.p_event if is_probability else columns.mean


def _figures_before(
    rule: AlertRule, cells: NDArray[np.uint64], before: ForecastColumns
) -> NDArray[np.float64]:
    """Return the figures that the cells had; infinity for cells that are new."""
    known = dict(
        zip(before.cells.tolist(), _figure(rule, before).tolist(), strict=True)
    )
    figures = [known.get(cell, np.inf) for cell in cells.tolist()]
    return np.maximum(figures, SMALLEST_BEFORE)


def _watched(rule: AlertRule, cells: NDArray[np.uint64]) -> NDArray[np.bool_]:
    watched = np.ones(cells.size, dtype=np.bool_)
    if rule.cells:
        watched &= np.isin(cells, np.array(rule.cells, dtype=np.uint64))
    if rule.portfolio_id is not None:
        places = AssetPlace.objects.filter(
            region_id=rule.region_id, asset__portfolio_id=rule.portfolio_id
        )
        own = places.order_by().values_list("h3", flat=True).distinct()
        watched &= np.isin(cells, np.array(own, dtype=np.uint64))
    return watched
