"""From joint scenarios of events to the losses of located assets."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, starmap
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.engine.arrays import Floats, Integers
from scoring.engine.exposures import (
    ExposureTable,
    group_losses,
    ratio_key,
)
from scoring.engine.simulation import ScenarioSet

# Half a megabyte of each array at work.
HITS_PER_BLOCK: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellEvents:
    """The events of a scenario set, by cell, then scenario, then time.

    Attributes
    ----------
    start : ndarray of shape (n_cells + 1,), int64
        The events of cell i are the rows start[i] to start[i + 1].
    scenario : ndarray of shape (n_events,), int32
    mark : ndarray of shape (n_events,), float32
        Rank of the severity, in [0, 1).
    n_scenarios : int
    """

    start: Integers
    scenario: NDArray[np.int32]
    mark: NDArray[np.float32]
    n_scenarios: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PortfolioLosses:
    """What every scenario costs, and what it is made of.

    Attributes
    ----------
    total : ndarray of shape (n_scenarios,)
        Loss of all events of a scenario: AEP is its distribution.
    largest : ndarray of shape (n_scenarios,)
        Loss of the costliest event of a scenario: OEP is its distribution.
    start : ndarray of shape (n_groups + 1,), int64
        The hits of group i are the rows start[i] to start[i + 1].
    group, scenario, ratio, loss : ndarray of shape (n_hits,)
        Each event that meets a group of assets, by group: which, when, what it
        destroys there as a share of the value, and what that costs.
    """

    total: Floats
    largest: Floats
    start: Integers
    group: NDArray[np.int32]
    scenario: NDArray[np.int32]
    ratio: Floats
    loss: Floats


def by_cell(scenarios: ScenarioSet) -> CellEvents:
    """Sort a scenario set for `losses_of`; a forecast needs that once."""
    key = scenarios.cell_index.astype(np.int64) * scenarios.n_scenarios
    key = (key + scenarios.scenario) * scenarios.n_steps + scenarios.step
    order = np.argsort(key, kind="stable")
    counts = np.bincount(scenarios.cell_index, minlength=scenarios.n_cells)
    return CellEvents(
        start=np.concatenate([[0], np.cumsum(counts)]),
        scenario=scenarios.scenario[order],
        mark=scenarios.mark[order],
        n_scenarios=scenarios.n_scenarios,
    )


def losses_of(
    events: CellEvents, table: ExposureTable, ratios: Floats
) -> PortfolioLosses:
    """Losses of a portfolio in every scenario.

    An event destroys the damage ratio of its severity, of each asset in its cell,
    but no more than earlier events of the scenario have left: nothing is rebuilt
    within a horizon, so an asset loses at most its value. What an asset costs in an
    event is min(limit, max(0, value * ratio - deductible)), as calculation rule 1 of
    the Oasis financial module has it.

    Parameters
    ----------
    events : CellEvents
        As `by_cell` sorts them.
    table : ExposureTable
    ratios : ndarray of shape (n_curves + 1, n_ranks)
        As `damage_ratios` makes them.
    """
    starts = events.start[table.group_cell]
    counts = events.start[table.group_cell + 1] - starts
    edges = np.append(0, np.cumsum(counts))
    n_hits, n_ranks = int(edges[-1]), ratios.shape[1]
    rank = np.minimum((events.mark * n_ranks).astype(np.int32), n_ranks - 1)
    group = np.repeat(np.arange(counts.size, dtype=np.int32), counts)
    scenario = np.empty(n_hits, dtype=np.int32)
    ratio, loss = np.empty((2, n_hits))
    total, largest = np.zeros((2, events.n_scenarios))
    by_event = np.zeros(events.scenario.size)
    for part in _blocks(edges):
        here = group[part]
        row = np.arange(part.start, part.stop) + (starts - edges[:-1])[here]
        scenario[part] = events.scenario[row]
        destroyed = ratios[table.group_curve[here], rank[row]]
        ratio[part] = _cut(destroyed, here, scenario[part])
        loss[part] = group_losses(table, here, ratio[part])
        np.add.at(total, scenario[part], loss[part])
        # An event that meets several groups comes more than once.
        np.add.at(by_event, row, loss[part])
    np.maximum.at(largest, events.scenario, by_event)
    return PortfolioLosses(
        total=total,
        largest=largest,
        start=edges,
        group=group,
        scenario=scenario,
        ratio=ratio,
        loss=loss,
    )


def mean_by_asset(
    losses: PortfolioLosses, table: ExposureTable, weights: Floats
) -> Floats:
    """Sum over scenarios of weight times the loss of each asset, shape (n_assets,).

    Sums over assets are sums over scenarios of weight times total loss, to rounding:
    with the weights of a tail these are Euler contributions to its mean (Tasche
    1999).

    Parameters
    ----------
    losses : PortfolioLosses
    table : ExposureTable
        The one that the losses were computed with.
    weights : ndarray of shape (n_scenarios,)
        Not negative; scenarios of weight 0 cost no time.
    """
    counted = np.flatnonzero((weights > 0.0)[losses.scenario])
    weight, ratio = weights[losses.scenario[counted]], losses.ratio[counted]
    key = ratio_key(losses.group[counted], ratio)
    order = np.argsort(key, kind="stable")
    key = key[order]
    mass = np.append(0.0, np.cumsum(weight[order]))
    damage = np.append(0.0, np.cumsum((weight * ratio)[order]))
    low = np.searchsorted(key, ratio_key(table.group, table.attachment))
    high = np.searchsorted(key, ratio_key(table.group, table.exhaustion))
    end = np.searchsorted(key, ratio_key(table.group + 1, np.zeros(table.group.size)))
    partial = table.value * (damage[high] - damage[low])
    partial -= table.deductible * (mass[high] - mass[low])
    full = table.payout * (mass[end] - mass[high])
    return np.asarray(np.maximum(partial + full, 0.0))


def mean_loss_of_groups(losses: PortfolioLosses, groups: Integers) -> float:
    """Expected loss of some groups together."""
    hits = (losses.loss[slice(*losses.start[[group, group + 1]])] for group in groups)
    return float(sum(part.sum() for part in hits) / losses.total.size)


def mean_loss_of_asset(
    losses: PortfolioLosses, table: ExposureTable, asset: int
) -> float:
    """Expected loss of one asset, of those in `table`."""
    group = table.group[asset]
    ratio = losses.ratio[slice(*losses.start[[group, group + 1]])]
    loss = table.value[asset] * ratio - table.deductible[asset]
    return float(np.clip(loss, 0.0, table.payout[asset]).sum() / losses.total.size)


def _blocks(edges: Integers) -> Iterator[slice]:
    """Split the hits between groups, so that what is at hand fits into a cache."""
    wanted = np.arange(0, edges[-1], HITS_PER_BLOCK)
    cuts = np.unique(np.append(edges[np.searchsorted(edges, wanted)], edges[-1]))
    return starmap(slice, pairwise(cuts.tolist()))


def _cut(
    ratio: Floats, group: NDArray[np.int32], scenario: NDArray[np.int32]
) -> Floats:
    """Cut ratios so that the events of a scenario, in order, destroy 1 at most."""
    begins = np.ones(ratio.size, dtype=np.bool_)
    begins[1:] = (scenario[1:] != scenario[:-1]) | (group[1:] != group[:-1])
    start = np.flatnonzero(begins)
    length = np.diff(np.append(start, ratio.size))
    left, done, position = 1.0 - ratio[start], ratio.copy(), 1
    while (going := length > position).any():
        start, length, left = start[going], length[going], left[going]
        row = start + position
        done[row] = np.minimum(ratio[row], left)
        left = left - done[row]
        position += 1
    return done
