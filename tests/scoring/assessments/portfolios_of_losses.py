"""Small scenario sets and portfolios, and their losses one asset at a time."""

from collections.abc import Sequence

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.exposures import InsuredAssets
from scoring.engine.simulation import ScenarioSet

# Scenario, step, cell and mark of one event.
EventRow = tuple[int, int, int, float]
# Cell, curve, value, deductible and limit of one asset.
AssetRow = tuple[int, int, float, float, float]


def scenario_set(
    rows: Sequence[EventRow], *, n_scenarios: int, n_cells: int
) -> ScenarioSet:
    ordered = sorted(rows, key=lambda row: row[0])
    return ScenarioSet(
        scenario=np.array([row[0] for row in ordered], dtype=np.int32),
        step=np.array([row[1] for row in ordered], dtype=np.int16),
        cell_index=np.array([row[2] for row in ordered], dtype=np.int32),
        mark=np.array([row[3] for row in ordered], dtype=np.float32),
        n_scenarios=n_scenarios,
        n_steps=10,
        n_cells=n_cells,
        step_s=86_400.0,
    )


def insured(rows: Sequence[AssetRow]) -> InsuredAssets:
    cell, curve, value, deductible, limit = zip(*rows, strict=True)
    return InsuredAssets(
        cell=np.array(cell, dtype=np.int64),
        curve=np.array(curve, dtype=np.int64),
        value=np.array(value, dtype=np.float64),
        deductible=np.array(deductible, dtype=np.float64),
        limit=np.array(limit, dtype=np.float64),
    )


def losses_one_by_one(
    events: Sequence[EventRow],
    assets: Sequence[AssetRow],
    ratios: Floats,
    *,
    n_scenarios: int,
) -> tuple[Floats, Floats]:
    """Loss of each asset in each scenario, and of the costliest event of each."""
    by_asset = np.zeros((n_scenarios, len(assets)))
    largest = np.zeros(n_scenarios)
    left = np.ones((n_scenarios, len(assets)))
    for scenario, _, cell, mark in sorted(events, key=lambda row: (row[0], row[1])):
        rank = min(int(np.float32(mark) * ratios.shape[1]), ratios.shape[1] - 1)
        cost = 0.0
        for number, (place, curve, value, deductible, limit) in enumerate(assets):
            if place != cell:
                continue
            ratio = min(ratios[curve, rank], left[scenario, number])
            left[scenario, number] -= ratio
            loss = min(limit, max(0.0, value * ratio - deductible))
            by_asset[scenario, number] += loss
            cost += loss
        largest[scenario] = max(largest[scenario], cost)
    return by_asset, largest
