"""From joint scenarios of events to the losses of located assets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.engine.arrays import Floats, Integers
from scoring.engine.exposures import (
    ExposureTable,
    group_losses,
    ratio_key,
    sums_by_place,
)
from scoring.engine.simulation import ScenarioSet

# Half a megabyte of each array at work.
HITS_PER_BLOCK: Final = 1 << 16
# Sixteen megabytes; more are made again rather than kept.
MOST_KEPT_HITS: Final = 1 << 19


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
class Hits:
    """Events that meet some groups of assets, by group, then scenario, then time.

    Attributes
    ----------
    groups : slice
        These groups, with all events that meet them.
    event, group, scenario, ratio, loss : ndarray of shape (n_hits,)
        Row of the event, whom it meets, when, what it destroys there as a share of
        the value, and what that costs.
    """

    groups: slice
    event: Integers
    group: NDArray[np.int32]
    scenario: NDArray[np.int32]
    ratio: Floats
    loss: Floats

    @property
    def nbytes(self) -> int:
        arrays = self.event, self.group, self.scenario, self.ratio, self.loss
        return sum(array.nbytes for array in arrays)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PortfolioLosses:
    """What every scenario costs, and what it is made of.

    Attributes
    ----------
    total : ndarray of shape (n_scenarios,)
        Loss of all events of a scenario: AEP is its distribution.
    largest : ndarray of shape (n_scenarios,)
        Loss of the costliest event of a scenario: OEP is its distribution.
    mean_by_group : ndarray of shape (n_groups,)
        Expected loss of each group.
    hits : HitBlocks
    """

    total: Floats
    largest: Floats
    mean_by_group: Floats
    hits: "HitBlocks"

    @property
    def nbytes(self) -> int:
        """Bytes of these arrays, without those of the exposure and the scenarios."""
        own = self.total.nbytes + self.largest.nbytes + self.mean_by_group.nbytes
        return own + self.hits.nbytes


class HitBlocks:
    """All hits of a portfolio, in blocks of whole groups, as often as they are read.

    Few are kept; of many only one block exists at a time.
    """

    def __init__(
        self,
        events: CellEvents,
        table: ExposureTable,
        ratios: Floats,
        on_block: Callable[[], object],
    ) -> None:
        self._events, self._table, self._ratios = events, table, ratios
        self._on_block = on_block
        self._starts = events.start[table.group_cell]
        counts = events.start[table.group_cell + 1] - self._starts
        self._edges = np.append(0, np.cumsum(counts))
        n_ranks = ratios.shape[1]
        rank = (events.mark * n_ranks).astype(np.int32)
        self._rank = np.minimum(rank, n_ranks - 1, out=rank)
        self._kept: list[Hits] | None = None

    @property
    def nbytes(self) -> int:
        own = (self._starts, self._edges, self._rank)
        kept = sum(hits.nbytes for hits in self._kept or ())
        return kept + sum(int(array.nbytes) for array in own)

    def __iter__(self) -> Iterator[Hits]:
        if self._edges[-1] > MOST_KEPT_HITS:
            return self._made()
        if self._kept is None:
            self._kept = list(self._made())
        return iter(self._kept)

    def of(self, groups: slice) -> Hits:
        """Make the hits of some groups."""
        edges = self._edges[groups.start : groups.stop + 1]
        numbers = np.arange(groups.start, groups.stop, dtype=np.int32)
        group = np.repeat(numbers, np.diff(edges))
        event = np.arange(edges[0], edges[-1])
        event += (self._starts - self._edges[:-1])[group]
        scenario = self._events.scenario[event]
        destroyed = self._ratios[self._table.group_curve[group], self._rank[event]]
        ratio = _cut(destroyed, group, scenario)
        return Hits(
            groups=groups,
            event=event,
            group=group,
            scenario=scenario,
            ratio=ratio,
            loss=group_losses(self._table, group, ratio),
        )

    def _made(self) -> Iterator[Hits]:
        """Split between groups, so that what is at hand fits into a cache."""
        wanted = np.arange(0, self._edges[-1], HITS_PER_BLOCK)
        first = np.searchsorted(self._edges, wanted)
        cuts = np.unique(np.append(first, self._edges.size - 1))
        for start, stop in pairwise(cuts.tolist()):
            self._on_block()
            yield self.of(slice(start, stop))


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
    events: CellEvents,
    table: ExposureTable,
    ratios: Floats,
    *,
    on_block: Callable[[], object] = lambda: None,
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
    on_block : callable
        Called before each block of work; what it raises ends it.
    """
    hits = HitBlocks(events, table, ratios, on_block)
    total, largest = np.zeros((2, events.n_scenarios))
    by_event = np.zeros(events.scenario.size)
    by_group = np.zeros(table.group_cell.size)
    for part in hits:
        np.add.at(total, part.scenario, part.loss)
        # An event that meets several groups comes more than once.
        np.add.at(by_event, part.event, part.loss)
        place = part.group - part.groups.start
        size = part.groups.stop - part.groups.start
        by_group[part.groups] = sums_by_place(place, part.loss, size=size)
    np.maximum.at(largest, events.scenario, by_event)
    return PortfolioLosses(
        total=total,
        largest=largest,
        mean_by_group=by_group / events.n_scenarios,
        hits=hits,
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
    found = np.zeros(table.group.size)
    by_group = np.argsort(table.group, kind="stable")
    ordered = table.group[by_group]
    for part in losses.hits:
        start, stop = np.searchsorted(ordered, [part.groups.start, part.groups.stop])
        assets = by_group[start:stop]
        found[assets] = _mean_of_part(part, table, assets, weights)
    return found


def mean_loss_of_groups(losses: PortfolioLosses, groups: Integers) -> float:
    """Expected loss of some groups together."""
    return float(losses.mean_by_group[groups].sum())


def mean_loss_of_asset(
    losses: PortfolioLosses, table: ExposureTable, asset: int
) -> float:
    """Expected loss of one asset, of those in `table`."""
    group = int(table.group[asset])
    ratio = losses.hits.of(slice(group, group + 1)).ratio
    loss = table.value[asset] * ratio - table.deductible[asset]
    return float(np.clip(loss, 0.0, table.payout[asset]).sum() / losses.total.size)


def _mean_of_part(
    hits: Hits, table: ExposureTable, assets: Integers, weights: Floats
) -> Floats:
    counted = np.flatnonzero((weights > 0.0)[hits.scenario])
    weight, ratio = weights[hits.scenario[counted]], hits.ratio[counted]
    key = ratio_key(hits.group[counted], ratio)
    order = np.argsort(key, kind="stable")
    key = key[order]
    mass = np.append(0.0, np.cumsum(weight[order]))
    damage = np.append(0.0, np.cumsum((weight * ratio)[order]))
    group = table.group[assets]
    low = np.searchsorted(key, ratio_key(group, table.attachment[assets]))
    high = np.searchsorted(key, ratio_key(group, table.exhaustion[assets]))
    end = np.searchsorted(key, ratio_key(group + 1, np.zeros(group.size)))
    partial = table.value[assets] * (damage[high] - damage[low])
    partial -= table.deductible[assets] * (mass[high] - mass[low])
    full = table.payout[assets] * (mass[end] - mass[high])
    return np.asarray(np.maximum(partial + full, 0.0))


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
