"""Joint scenarios of events: many possible futures, drawn from a branching process."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import gammaincinv

from scoring.engine.arrays import Floats, Integers, SparseMatrix
from scoring.engine.branching import BranchingProcess, columns_of
from scoring.engine.errors import EngineError

SCENARIOS_PER_BLOCK: Final = 250
MOST_GENERATIONS: Final = 50
MOST_EVENTS_PER_BLOCK: Final = 20_000_000
SMALLEST_ALPHA: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScenarioSet:
    """Events of all scenarios, one row each, ascending by scenario.

    Attributes
    ----------
    scenario, cell_index : ndarray of shape (n_events,), int32
    step : ndarray of shape (n_events,), int16
        Step of the horizon in which the event happens.
    mark : ndarray of shape (n_events,), float32
        Rank of the event's severity in [0, 1): a quantile of whatever distribution
        of severities applies.
    n_scenarios, n_steps, n_cells : int
    step_s : float
    """

    scenario: NDArray[np.int32]
    step: NDArray[np.int16]
    cell_index: NDArray[np.int32]
    mark: NDArray[np.float32]
    n_scenarios: int
    n_steps: int
    n_cells: int
    step_s: float

    def counts(self) -> SparseMatrix:
        """Number of events, sparse (n_scenarios, n_cells)."""
        ones = np.ones(self.scenario.size)
        shape = (self.n_scenarios, self.n_cells)
        return sparse.csr_array((ones, (self.scenario, self.cell_index)), shape=shape)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Events:
    """Events of one block while they are drawn."""

    scenario: Integers
    step: Integers
    cell: Integers
    mark: Floats


def simulate(
    process: BranchingProcess,
    *,
    n_scenarios: int,
    seed: int,
    alpha: Floats | None = None,
    frailty: float = 0.0,
    weights: Floats | None = None,
) -> ScenarioSet:
    """Draw scenarios generation by generation.

    Immigrants of a step and cell are negative binomial, as Poisson clusters of
    logarithmic size, so that only what happens costs time; their offspring is
    Poisson. Scenarios are drawn in blocks of `SCENARIOS_PER_BLOCK`, each from its
    own stream of a counter-based generator, so that any number of processes gives
    the same scenarios.

    Parameters
    ----------
    process : BranchingProcess
    n_scenarios : int
    seed : int
    alpha : ndarray of shape (n_cells,), optional
        NB2 dispersion of the number per cell and horizon; Poisson if not given.
    frailty : float
        Variance of a gamma factor of mean one that all cells of a scenario share;
        the dispersion of cells is lowered so that their numbers scatter as `alpha`
        says.
    weights : ndarray of shape (n_weights,), optional
        Weights of past events, ascending: an event of rank u weighs their quantile.
        Every event weighs `process.mean_weight` if not given.
    """
    if n_scenarios < 1:
        raise EngineError("Ask for at least one scenario.")
    n_steps, n_cells = process.immigrants.shape
    shared = _shared_factor(n_scenarios, frailty, seed)
    clusters = _Clusters(process, alpha, frailty)
    offspring = _Offspring(process, weights)
    blocks = [
        _draw_block(block, shared, seed, clusters, offspring)
        for block in range(-(-n_scenarios // SCENARIOS_PER_BLOCK))
    ]
    scenario = np.concatenate([events.scenario for events in blocks])
    order = np.argsort(scenario, kind="stable")
    return ScenarioSet(
        scenario=scenario[order].astype(np.int32),
        step=np.concatenate([e.step for e in blocks])[order].astype(np.int16),
        cell_index=np.concatenate([e.cell for e in blocks])[order].astype(np.int32),
        mark=np.concatenate([e.mark for e in blocks])[order].astype(np.float32),
        n_scenarios=n_scenarios,
        n_steps=n_steps,
        n_cells=n_cells,
        step_s=process.step_s,
    )


class _Clusters:
    """Draws the immigrants of a block of scenarios."""

    def __init__(
        self, process: BranchingProcess, alpha: Floats | None, frailty: float
    ) -> None:
        self.n_cells = process.tilt.size
        mean = process.immigrants * process.tilt
        dispersion = np.full(self.n_cells, SMALLEST_ALPHA)
        if alpha is not None:
            # Of a horizon's number, whose steps share nothing but the frailty.
            own = (alpha - frailty) / (1.0 + frailty) * mean.shape[0]
            dispersion = np.maximum(own, SMALLEST_ALPHA)
        rate = np.log1p(dispersion * mean) / dispersion
        self.edges = np.cumsum(rate)
        ratio = dispersion * mean
        self.parameter = (ratio / (1.0 + ratio)).ravel()

    def draw(self, factors: Floats, first: int, rng: np.random.Generator) -> _Events:
        n_clusters = rng.poisson(self.edges[-1] * factors)
        scenario = np.repeat(np.arange(factors.size) + first, n_clusters)
        drawn = rng.random(scenario.size) * self.edges[-1]
        place = np.searchsorted(self.edges, drawn, side="right")
        np.minimum(place, self.edges.size - 1, out=place)
        size = rng.logseries(np.maximum(self.parameter[place], 1e-12))
        place, scenario = np.repeat(place, size), np.repeat(scenario, size)
        return _Events(
            scenario=scenario,
            step=place // self.n_cells,
            cell=place % self.n_cells,
            mark=rng.random(place.size),
        )


class _Offspring:
    """Draws the children of events."""

    def __init__(self, process: BranchingProcess, weights: Floats | None) -> None:
        self.reach = process.reach
        self.mean_weight = process.mean_weight
        self.weights = weights
        targets = [columns_of(matrix) for matrix in process.tilted_spread]
        self.targets = targets
        self.edges = [np.cumsum(matrix.data) for matrix in targets]
        self.totals = [
            np.diff(np.append(0.0, edges)[matrix.indptr])
            for matrix, edges in zip(targets, self.edges, strict=True)
        ]

    def draw(self, parents: _Events, rng: np.random.Generator) -> _Events:
        n_steps = self.reach.shape[0]
        weight = self._weight(parents)
        parts = [
            self._of_ring(parents, weight, lag, ring, rng)
            for lag in range(1, n_steps)
            for ring in range(len(self.targets))
            if self.reach[lag, ring] > 0
        ]
        return _joined(parts, rng)

    def _weight(self, events: _Events) -> Floats:
        if self.weights is None:
            return np.full(events.mark.size, self.mean_weight)
        place = (events.mark * self.weights.size).astype(np.int64)
        return self.weights[np.minimum(place, self.weights.size - 1)]

    def _of_ring(
        self,
        parents: _Events,
        weight: Floats,
        lag: int,
        ring: int,
        rng: np.random.Generator,
    ) -> tuple[Integers, Integers, Integers]:
        early = np.flatnonzero(parents.step + lag < self.reach.shape[0])
        cell = parents.cell[early]
        mean = weight[early] * self.reach[lag, ring] * self.totals[ring][cell]
        n_children = rng.poisson(mean)
        early, cell = np.repeat(early, n_children), np.repeat(cell, n_children)
        targets, edges = self.targets[ring], self.edges[ring]
        start = np.append(0.0, edges)[targets.indptr[cell]]
        drawn = start + rng.random(cell.size) * self.totals[ring][cell]
        place = np.searchsorted(edges, drawn, side="right")
        place = np.clip(place, targets.indptr[cell], targets.indptr[cell + 1] - 1)
        return (
            parents.scenario[early],
            parents.step[early] + lag,
            targets.indices[place].astype(np.int64),
        )


def _draw_block(
    block: int,
    shared: Floats,
    seed: int,
    clusters: _Clusters,
    offspring: _Offspring,
) -> _Events:
    stream = np.random.Philox(key=seed, counter=[0, 0, 0, block + 1])
    rng = np.random.Generator(stream)
    first = block * SCENARIOS_PER_BLOCK
    factors = shared[first : first + SCENARIOS_PER_BLOCK]
    generations = list(_generations(clusters.draw(factors, first, rng), offspring, rng))
    return _Events(
        scenario=np.concatenate([events.scenario for events in generations]),
        step=np.concatenate([events.step for events in generations]),
        cell=np.concatenate([events.cell for events in generations]),
        mark=np.concatenate([events.mark for events in generations]),
    )


def _generations(
    events: _Events, offspring: _Offspring, rng: np.random.Generator
) -> Iterator[_Events]:
    n_events = 0
    for _ in range(MOST_GENERATIONS):
        yield events
        n_events += events.cell.size
        if n_events > MOST_EVENTS_PER_BLOCK:
            raise EngineError(
                "The simulation explodes: events trigger more events than it can "
                "hold. Check the severity transform of the region."
            )
        if events.cell.size == 0:
            return
        events = offspring.draw(events, rng)


def _joined(
    parts: list[tuple[Integers, Integers, Integers]], rng: np.random.Generator
) -> _Events:
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        return _Events(scenario=nothing, step=nothing, cell=nothing, mark=np.zeros(0))
    scenario, step, cell = (
        np.concatenate(columns) for columns in zip(*parts, strict=True)
    )
    return _Events(scenario=scenario, step=step, cell=cell, mark=rng.random(cell.size))


def _shared_factor(n_scenarios: int, frailty: float, seed: int) -> Floats:
    """Gamma factors of mean one and variance `frailty`, stratified and shuffled."""
    if frailty < SMALLEST_ALPHA:
        return np.ones(n_scenarios)
    middles = (np.arange(n_scenarios) + 0.5) / n_scenarios
    factors = gammaincinv(1.0 / frailty, middles) * frailty
    stream = np.random.Philox(key=seed, counter=[0, 0, 0, 0])
    shuffled = np.random.Generator(stream).permutation(factors / factors.mean())
    return np.asarray(shuffled)
