"""The figures of an assessment: from losses by scenario to what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Annotated, Any
from uuid import UUID

import msgspec
import numpy as np
from msgspec import Meta, Struct

from analytics.grid import CellDigits
from scoring.cell_ids import hex_of
from scoring.engine.arrays import Floats
from scoring.engine.exposures import ExposureTable, sums_by_place
from scoring.engine.losses import (
    PortfolioLosses,
    mean_by_asset,
    mean_loss_of_asset,
    mean_loss_of_groups,
)
from scoring.engine.tails import (
    Tail,
    exceeded_at,
    mean_error,
    risk_score,
    tail_of,
    tail_weights,
)
from scoring.selectors.assessment_inputs import ForecastScenarios, RegionExposure

EXCEEDANCE = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
# Fewer scenarios beyond a point of a curve say little about it.
LEAST_BEYOND = 10
TOP = 10

Money = Annotated[Decimal, Meta(description="Rounded to two places.")]
MoneyByQuantile = Annotated[
    dict[str, Money], Meta(description="By quantile, as in 0.95.")
]
Probability = Annotated[float, Meta(ge=0, le=1)]


class CurvePoint(Struct):
    exceedance_probability: Probability
    loss: Money


class VarInterval(Struct):
    """Holds the true value with probability 0.95; `high` is null if unbounded."""

    low: Money
    high: Money | None


class MonteCarloError(Struct):
    """Standard errors of expected_loss and tvar, an interval of var."""

    n_scenarios: int
    expected_loss: Money
    var: dict[str, VarInterval]
    tvar: MoneyByQuantile


class CellContribution(Struct):
    cell_id: CellDigits
    cell_hex: str
    asset_count: int
    value: Money
    p_event: Probability
    expected_loss: Money
    tvar_contribution: Money


class AssetContribution(Struct):
    asset_id: UUID | None
    reference: str
    cell_id: CellDigits
    cell_hex: str
    value: Money
    expected_loss: Money
    tvar_contribution: Money


class ExposureTotals(Struct):
    count: int
    value: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentFigures:
    """`details` is JSON, as it is stored."""

    risk_score: float
    expected_loss: Decimal
    details: dict[str, Any]


def measure(
    exposure: RegionExposure,
    table: ExposureTable,
    scenarios: ForecastScenarios,
    *,
    losses: PortfolioLosses,
    quantiles: Sequence[float],
) -> AssessmentFigures:
    """Measure an exposure against all scenarios; `quantiles` ascend."""
    tails = [tail_of(losses.total, quantile) for quantile in quantiles]
    weights = tail_weights(losses.total, quantiles[-1])
    shares = mean_by_asset(losses, table, weights)
    return AssessmentFigures(
        risk_score=risk_score(exposure.value, scenarios.p_event[exposure.row]),
        expected_loss=_cents(losses.total.mean()),
        details=msgspec.to_builtins(
            {
                "loss_probability": float(np.mean(losses.total > 0.0)),
                "var": {
                    quantile_text(tail.quantile): _cents(tail.var) for tail in tails
                },
                "tvar": {
                    quantile_text(tail.quantile): _cents(tail.tvar) for tail in tails
                },
                "aep": _curve(losses.total),
                "oep": _curve(losses.largest),
                "monte_carlo_error": _errors(losses.total, tails),
                "contribution_quantile": quantiles[-1],
                "top_cells": _top_cells(exposure, table, scenarios, losses, shares),
                "top_assets": _top_assets(exposure, table, scenarios, losses, shares),
                "inside": _totals(len(exposure.asset_ids), exposure.value.sum()),
                "outside": _totals(exposure.outside_count, exposure.outside_value),
                "without_curve": exposure.without_curve_count,
                "ignored_terms": exposure.ignored_terms,
            }
        ),
    )


def quantile_text(quantile: float) -> str:
    """Write a quantile with six places at most, as keys and columns have it."""
    return f"{quantile:.6f}".rstrip("0")


def _curve(losses: Floats) -> list[CurvePoint]:
    known = [p for p in EXCEEDANCE if p * losses.size >= LEAST_BEYOND]
    points = zip(known, exceeded_at(losses, np.array(known)), strict=True)
    return [
        CurvePoint(exceedance_probability=probability, loss=_cents(loss))
        for probability, loss in points
    ]


def _errors(losses: Floats, tails: Sequence[Tail]) -> MonteCarloError:
    return MonteCarloError(
        n_scenarios=losses.size,
        expected_loss=_cents(mean_error(losses)),
        var={
            quantile_text(tail.quantile): VarInterval(
                low=_cents(tail.var_low),
                high=_cents(tail.var_high) if isfinite(tail.var_high) else None,
            )
            for tail in tails
        },
        tvar={quantile_text(tail.quantile): _cents(tail.tvar_error) for tail in tails},
    )


def _top_assets(
    exposure: RegionExposure,
    table: ExposureTable,
    scenarios: ForecastScenarios,
    losses: PortfolioLosses,
    shares: Floats,
) -> list[AssetContribution]:
    return [
        AssetContribution(
            asset_id=exposure.asset_ids[asset],
            reference=exposure.references[asset],
            cell_id=str(scenarios.cells[exposure.row[asset]]),
            cell_hex=hex_of(int(scenarios.cells[exposure.row[asset]])),
            value=_cents(exposure.value[asset]),
            expected_loss=_cents(mean_loss_of_asset(losses, table, asset)),
            tvar_contribution=_cents(shares[asset]),
        )
        for asset in _largest(shares)
    ]


def _top_cells(
    exposure: RegionExposure,
    table: ExposureTable,
    scenarios: ForecastScenarios,
    losses: PortfolioLosses,
    shares: Floats,
) -> list[CellContribution]:
    size = scenarios.cells.size
    by_cell = sums_by_place(exposure.row, shares, size=size)
    counts = np.bincount(exposure.row, minlength=size)
    values = sums_by_place(exposure.row, exposure.value, size=size)
    return [
        CellContribution(
            cell_id=str(scenarios.cells[cell]),
            cell_hex=hex_of(int(scenarios.cells[cell])),
            asset_count=int(counts[cell]),
            value=_cents(values[cell]),
            p_event=float(scenarios.p_event[cell]),
            expected_loss=_cents(
                mean_loss_of_groups(losses, np.flatnonzero(table.group_cell == cell))
            ),
            tvar_contribution=_cents(by_cell[cell]),
        )
        for cell in _largest(by_cell)
    ]


def _largest(shares: Floats) -> list[int]:
    """Positions of the largest shares, the first of equals first, zeros left out."""
    order = np.argsort(-shares, kind="stable")[:TOP]
    return [int(position) for position in order if shares[position] > 0.0]


def _totals(count: int, value: float | Decimal) -> ExposureTotals:
    return ExposureTotals(count=count, value=_cents(value))


def _cents(amount: float | Decimal) -> Decimal:
    """Round to the cent; a float of money has 15 digits to round from."""
    return Decimal(f"{amount:.2f}")
