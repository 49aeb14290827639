"""The figures of an assessment: from losses by scenario to what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any

import numpy as np

from perf.deadlines import check_deadline
from scoring.cell_ids import hex_of
from scoring.engine.arrays import Floats
from scoring.engine.exposures import ExposureTable, sums_by_place
from scoring.engine.losses import (
    PortfolioLosses,
    losses_of,
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
from scoring.metrics import INFERENCE_CALLS, Inference
from scoring.selectors.assessment_inputs import ForecastScenarios, RegionExposure

EXCEEDANCE = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
# Fewer scenarios beyond a point of a curve say little about it.
LEAST_BEYOND = 10
TOP = 10
CENT = Decimal("0.01")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentFigures:
    """`details` is JSON; money in it is decimal text."""

    risk_score: float
    expected_loss: Decimal
    details: Json


def measure(
    exposure: RegionExposure,
    table: ExposureTable,
    scenarios: ForecastScenarios,
    *,
    ratios: Floats,
    quantiles: Sequence[float],
) -> AssessmentFigures:
    """Measure an exposure against all scenarios; `quantiles` ascend."""
    INFERENCE_CALLS.labels(Inference.LOSSES).inc()
    losses = losses_of(scenarios.events, table, ratios, on_block=check_deadline)
    tails = [tail_of(losses.total, quantile) for quantile in quantiles]
    return AssessmentFigures(
        risk_score=risk_score(exposure.value, scenarios.p_event[exposure.row]),
        expected_loss=_amount(losses.total.mean()),
        details={
            "loss_probability": float(np.mean(losses.total > 0.0)),
            "var": {quantile_text(tail.quantile): _money(tail.var) for tail in tails},
            "tvar": {quantile_text(tail.quantile): _money(tail.tvar) for tail in tails},
            "aep": _curve(losses.total),
            "oep": _curve(losses.largest),
            "monte_carlo_error": _errors(losses.total, tails),
            "contribution_quantile": quantiles[-1],
            **_contributions(exposure, table, scenarios, losses, quantiles[-1]),
            "inside": _totals(len(exposure.asset_ids), exposure.value.sum()),
            "outside": _totals(exposure.outside_count, exposure.outside_value),
        },
    )


def quantile_text(quantile: float) -> str:
    """Write a quantile with six places at most, as keys and columns have it."""
    return f"{quantile:.6f}".rstrip("0")


def _curve(losses: Floats) -> list[Json]:
    known = [p for p in EXCEEDANCE if p * losses.size >= LEAST_BEYOND]
    points = zip(known, exceeded_at(losses, np.array(known)), strict=True)
    return [
        {"exceedance_probability": probability, "loss": _money(loss)}
        for probability, loss in points
    ]


def _errors(losses: Floats, tails: Sequence[Tail]) -> Json:
    return {
        "n_scenarios": losses.size,
        "expected_loss": _money(mean_error(losses)),
        "var": {
            quantile_text(tail.quantile): {
                "low": _money(tail.var_low),
                "high": _money(tail.var_high) if isfinite(tail.var_high) else None,
            }
            for tail in tails
        },
        "tvar": {
            quantile_text(tail.quantile): _money(tail.tvar_error) for tail in tails
        },
    }


def _contributions(
    exposure: RegionExposure,
    table: ExposureTable,
    scenarios: ForecastScenarios,
    losses: PortfolioLosses,
    quantile: float,
) -> Json:
    shares = mean_by_asset(losses, table, tail_weights(losses.total, quantile))
    return {
        "top_cells": _top_cells(exposure, table, scenarios, losses, shares),
        "top_assets": [
            {
                "asset_id": str(exposure.asset_ids[asset]),
                "reference": exposure.references[asset],
                "cell_id": int(scenarios.cells[exposure.row[asset]]),
                "cell_hex": hex_of(int(scenarios.cells[exposure.row[asset]])),
                "value": _money(exposure.value[asset]),
                "expected_loss": _money(mean_loss_of_asset(losses, table, asset)),
                "tvar_contribution": _money(shares[asset]),
            }
            for asset in _largest(shares)
        ],
    }


def _top_cells(
    exposure: RegionExposure,
    table: ExposureTable,
    scenarios: ForecastScenarios,
    losses: PortfolioLosses,
    shares: Floats,
) -> list[Json]:
    size = scenarios.cells.size
    by_cell = sums_by_place(exposure.row, shares, size=size)
    counts = np.bincount(exposure.row, minlength=size)
    values = sums_by_place(exposure.row, exposure.value, size=size)
    return [
        {
            "cell_id": int(scenarios.cells[cell]),
            "cell_hex": hex_of(int(scenarios.cells[cell])),
            "asset_count": int(counts[cell]),
            "value": _money(values[cell]),
            "p_event": float(scenarios.p_event[cell]),
            "expected_loss": _money(
                mean_loss_of_groups(losses, np.flatnonzero(table.group_cell == cell))
            ),
            "tvar_contribution": _money(by_cell[cell]),
        }
        for cell in _largest(by_cell)
    ]


def _largest(shares: Floats) -> list[int]:
    """Positions of the largest shares, the first of equals first, zeros left out."""
    order = np.argsort(-shares, kind="stable")[:TOP]
    return [int(position) for position in order if shares[position] > 0.0]


def _totals(count: int, value: float | Decimal) -> Json:
    return {"count": count, "value": _money(value)}


def _money(amount: float | Decimal) -> str:
    return str(_amount(amount))


def _amount(amount: float | Decimal) -> Decimal:
    """Round to the cent; a float of money has 15 digits to round from."""
    return Decimal(f"{amount:.2f}")
