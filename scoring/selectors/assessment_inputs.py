"""What assessments depend on: a forecast's scenarios and a portfolio's exposure.

Both are read once and cached, scenarios for all processes of the machine: a forecast
never changes, nor does a revision of a portfolio.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from analytics.reads.features import ranked_severities
from perf.cache.memory import ByteCache
from perf.cache.shared_arrays import SharedArrays
from perf.deadlines import check_deadline
from riskplatform.api.keys.access import access_of_organisation
from scoring.engine.arrays import Floats
from scoring.engine.exposures import (
    Curve,
    ExposureTable,
    InsuredAssets,
    build_table,
    damage_ratios,
)
from scoring.engine.losses import CellEvents, PortfolioLosses, by_cell, losses_of
from scoring.errors import PortfolioChangingError, PortfolioNotFoundError
from scoring.metrics import INFERENCE_CALLS, Inference
from scoring.models import (
    AssetPlace,
    Forecast,
    Portfolio,
    Region,
)
from scoring.selectors.exposures import NO_CURVE, Exposure, load_exposure
from scoring.selectors.forecasts import get_columns, get_scenarios
from scoring.selectors.regions import find_known_regions

CACHED_BYTES = 128 << 20
BYTES_PER_NAME = 250
READ_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ForecastScenarios:
    """Cells of a forecast, ascending, what is likely there, and what may happen."""

    cells: NDArray[np.uint64]
    p_event: Floats
    events: CellEvents
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionExposure:
    """The assets of a portfolio in the cells of a forecast; arrays (n_assets,).

    `row` is the row of an asset's cell in the forecast. What lies elsewhere is
    outside.
    """

    asset_ids: Sequence[UUID | None]
    references: list[str]
    row: NDArray[np.int64]
    value: Floats
    table: ExposureTable | None
    curves: list[Curve]
    outside_count: int
    outside_value: Decimal
    without_curve_count: int
    ignored_terms: dict[str, int]

    @property
    def nbytes(self) -> int:
        return len(self.asset_ids) * BYTES_PER_NAME + _nbytes_of(self)


class _RevisedError(Exception):
    """The assets are those of a later revision, or of two."""

    def __init__(self, revision: int) -> None:
        super().__init__(revision)
        self.revision = revision


_scenarios = SharedArrays("forecast_scenarios", schema=1)
_exposures: ByteCache[RegionExposure] = ByteCache("exposures", max_bytes=CACHED_BYTES)
_losses: ByteCache[PortfolioLosses] = ByteCache(
    "portfolio_losses",
    max_bytes=CACHED_BYTES // 4,
    max_value_bytes=CACHED_BYTES // 16,
)
_region_ids: ByteCache[NDArray[np.int64]] = ByteCache(
    "portfolio_regions", max_bytes=CACHED_BYTES // 128
)


def find_regions(portfolio: Portfolio) -> list[Region]:
    """Find where this revision of a portfolio has assets, as far as its owner sees.

    Many take long to search, so the result is cached.
    """
    places = AssetPlace.objects.filter(asset__portfolio=portfolio).order_by()
    ids = _region_ids.get_or_compute(
        (portfolio.pk, portfolio.revision),
        lambda: np.array(places.values_list("region", flat=True).distinct()),
    )
    access = access_of_organisation(portfolio.organisation_id)
    return find_known_regions(ids.tolist(), access=access)


def load_scenarios(forecast: Forecast) -> ForecastScenarios:
    """Give the scenarios of a forecast by cell; they are shared, so only read them."""
    arrays = _scenarios.get_or_compute(
        (forecast.pk,), lambda: _read_scenarios(forecast)
    )
    parts = {name: arrays[name] for name in ("start", "scenario", "mark")}
    return ForecastScenarios(
        cells=arrays["cells"],
        p_event=arrays["p_event"],
        events=CellEvents(**parts, n_scenarios=arrays["n_scenarios"].item()),
        digest=arrays["digest"].tobytes(),
    )


def load_region_exposure(
    portfolio: Portfolio, region: Region, scenarios: ForecastScenarios
) -> RegionExposure:
    """Give the exposure; `portfolio.revision` becomes the one that was read.

    Raises
    ------
    PortfolioChangingError
        The assets changed again and again while they were read.
    """
    for _ in range(READ_ATTEMPTS):
        key = (portfolio.pk, portfolio.revision, region.pk, scenarios.digest)
        try:
            return _exposures.get_or_compute(
                key,
                lambda: place_exposure(
                    _read_exposure(portfolio, region), scenarios.cells
                ),
            )
        except _RevisedError as revised:
            portfolio.revision = revised.revision
    raise PortfolioChangingError(
        f"The assets of portfolio {portfolio.pk} are being changed. Ask again."
    )


def load_damage_ratios(forecast: Forecast, exposure: RegionExposure) -> Floats:
    """Share of the value lost by curve and rank of the severity.

    Severities are those of the region's events before the forecast; a portfolio
    without curves does not need them, nor the store of events.
    """
    if not exposure.curves:
        return damage_ratios([], np.zeros(0))
    severities = ranked_severities(forecast.region.slug, until=forecast.issued_for)
    return damage_ratios(exposure.curves, severities)


def load_losses(
    portfolio: Portfolio,
    forecast: Forecast,
    table: ExposureTable,
    events: CellEvents,
    ratios: Floats,
) -> PortfolioLosses:
    """Give the losses in every scenario, from which all figures are measured."""
    # Severities come in late, so the same forecast may have other ratios later.
    digest = sha256(ratios.tobytes()).digest()

    def compute() -> PortfolioLosses:
        INFERENCE_CALLS.labels(Inference.LOSSES).inc()
        return losses_of(events, table, ratios, on_block=check_deadline)

    key = (portfolio.pk, portfolio.revision, forecast.pk, digest)
    return _losses.get_or_compute(key, compute)


def forget_inputs() -> None:
    """Empty the caches of this process, and let go of what all share."""
    _scenarios.close()
    _exposures.clear()
    _losses.clear()
    _region_ids.clear()


def _read_scenarios(forecast: Forecast) -> dict[str, NDArray[Any]]:
    columns = get_columns(forecast)
    events = by_cell(get_scenarios(forecast))
    digest = sha256(columns.cells.tobytes()).digest()
    return {
        "cells": columns.cells,
        "p_event": columns.p_event,
        "start": events.start,
        "scenario": events.scenario,
        "mark": events.mark,
        "n_scenarios": np.array(events.n_scenarios),
        "digest": np.frombuffer(digest, dtype=np.uint8),
    }


def _read_exposure(portfolio: Portfolio, region: Region) -> Exposure:
    """Read the assets, and then whether they are still those of the revision."""
    exposure = load_exposure(portfolio, region)
    revisions = Portfolio.objects.filter(pk=portfolio.pk)
    revision = revisions.values_list("revision", flat=True).first()
    if revision is None:
        raise PortfolioNotFoundError(f"There is no portfolio {portfolio.pk}.")
    if revision != portfolio.revision:
        raise _RevisedError(revision)
    return exposure


def place_exposure(exposure: Exposure, cells: NDArray[np.uint64]) -> RegionExposure:
    """Find the assets that lie in the cells of a forecast; the others are outside."""
    row = np.searchsorted(cells, exposure.cells).clip(max=cells.size - 1)
    # A region may have grown since the forecast.
    known = np.flatnonzero(cells[row] == exposure.cells)
    beyond = float(exposure.value.sum() - exposure.value[known].sum())
    positions = known.tolist()
    insured = InsuredAssets(
        cell=row[known],
        curve=exposure.vulnerability_index[known],
        value=exposure.value[known],
        deductible=exposure.deductible[known],
        limit=exposure.limit[known],
    )
    return RegionExposure(
        asset_ids=[exposure.asset_ids[position] for position in positions],
        references=[exposure.references[position] for position in positions],
        row=row[known],
        value=exposure.value[known],
        table=build_table(insured) if known.size else None,
        curves=exposure.curves,
        outside_count=exposure.outside_count + len(exposure) - known.size,
        outside_value=exposure.outside_value + Decimal(f"{max(beyond, 0.0):.2f}"),
        without_curve_count=int((insured.curve == NO_CURVE).sum()),
        ignored_terms=exposure.ignored_terms,
    )


def _nbytes_of(instance: Any) -> int:
    """Add up the arrays of a dataclass, and of those inside it."""
    if isinstance(instance, np.ndarray):
        return instance.nbytes
    names = getattr(instance, "__slots__", ())
    return sum(_nbytes_of(getattr(instance, name)) for name in names)
