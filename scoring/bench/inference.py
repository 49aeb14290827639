"""Benchmarks of the engine; `manage.py benchmark --suite inference` runs them."""

import subprocess
import sys
from collections.abc import Iterator

import numpy as np

from perf.bench.measurement import (
    AnyMeasurement,
    Measurement,
    elapsed,
    reported,
    throughput,
)
from perf.bench.registry import registry
from scoring.engine import workloads
from scoring.engine.distributions import CellDistribution, distribution_of
from scoring.engine.forecasters import FeatureModel
from scoring.engine.models.boosting import grow_trees
from scoring.engine.models.registry import N_TREES
from scoring.engine.simulation import ScenarioSet

SEED = 1
CELL_COUNTS = (1_000, 10_000, 100_000)
MS_PER_CELL = 100 / 100_000
N_SCENARIOS = 1_000
SCENARIO_CELLS = 10_000
SCENARIO_DAYS = 7
N_EVENTS = 1_000_000
N_ROWS, N_FEATURES = 2_000_000, 25
# A process of its own, because memory that was once used is not given back.
PEAK_MEMORY_PROGRAM = f"""
import resource
from scoring.engine.workloads import clustered_process, compact_grid, draw_scenarios
process = clustered_process(compact_grid({SCENARIO_CELLS}), n_steps={SCENARIO_DAYS})
draw_scenarios(process, n_scenarios={N_SCENARIOS})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@registry.suite("inference")
def inference() -> Iterator[AnyMeasurement]:
    """The forecast engine on one core: quantiles, scenarios, fitting, state."""
    yield from map(_quantiles, CELL_COUNTS)
    yield from _scenarios()
    yield from _events()


def _quantiles(n_cells: int) -> AnyMeasurement:
    rng = np.random.Generator(np.random.Philox(key=SEED))
    mean = rng.gamma(0.3, 0.1, size=n_cells)
    alpha = rng.gamma(2.0, 1.0, size=n_cells)
    rate_variance = rng.gamma(1.0, 0.2, size=n_cells)
    return Measurement(
        name=f"p_event and three quantiles, {n_cells:,} cells",
        after=lambda: distribution_of(mean, alpha, rate_variance),
        check=_is_ordered,
        target=max(MS_PER_CELL * n_cells, 2.0),
        single_core=True,
    )


def _scenarios() -> Iterator[AnyMeasurement]:
    grid = workloads.compact_grid(SCENARIO_CELLS)
    process = workloads.clustered_process(grid, n_steps=SCENARIO_DAYS)
    title = f"{N_SCENARIOS:,} scenarios, {SCENARIO_CELLS:,} cells, {SCENARIO_DAYS} days"
    yield Measurement(
        name=title,
        after=lambda: workloads.draw_scenarios(process, n_scenarios=N_SCENARIOS),
        check=_is_populated,
        meter=elapsed("s"),
        target=5.0,
        repeats=5,
        single_core=True,
    )
    yield Measurement(
        name=f"{title}: peak memory",
        after=_peak_memory_mib,
        check=lambda mebibytes: mebibytes > 0,
        meter=reported("MiB", float),
        target=1_024.0,
        warmups=0,
        repeats=1,
        single_core=True,
    )


def _events() -> Iterator[AnyMeasurement]:
    events = workloads.arriving_events(N_EVENTS, n_cells=SCENARIO_CELLS)
    yield Measurement(
        name=f"state update, {N_EVENTS:,} events in batches of 10,000",
        after=lambda: workloads.take_in(events, n_cells=SCENARIO_CELLS, batch=10_000),
        check=lambda excitation: bool(np.isfinite(excitation).all()),
        meter=throughput(N_EVENTS, noun="events"),
        target=1_000_000.0,
        repeats=5,
        single_core=True,
    )
    rows = workloads.training_rows(N_ROWS, n_features=N_FEATURES)
    yield Measurement(
        name=f"Poisson regression, {N_ROWS:,} rows of {N_FEATURES} features",
        after=lambda: workloads.fit_regression(rows),
        check=_found_the_effects,
        meter=elapsed("s"),
        target=60.0,
        warmups=0,
        repeats=2,
        single_core=True,
    )
    usable = np.ones(N_FEATURES, dtype=np.bool_)
    yield Measurement(
        name=f"boosted Poisson trees, {N_ROWS:,} rows of {N_FEATURES} features",
        after=lambda: grow_trees(rows, n_trees=N_TREES[1], usable=usable),
        check=lambda model: _found_the_effects(model, atol=0.1),
        meter=elapsed("s"),
        target=60.0,
        warmups=0,
        repeats=1,
        single_core=True,
    )


def _is_ordered(risk: CellDistribution) -> bool:
    """Hold the quantiles in order and the probability between the outer two."""
    ordered = (risk.q05 <= risk.q50) & (risk.q50 <= risk.q95)
    ordered &= (risk.q05 <= risk.p_event) & (risk.p_event <= risk.q95)
    return bool(np.all(ordered & (risk.p_event > 0) & (risk.p_event < 1)))


def _is_populated(scenarios: ScenarioSet) -> bool:
    """Every scenario of ten thousand cells and a week has events."""
    return bool(np.unique(scenarios.scenario).size == N_SCENARIOS)


def _found_the_effects(model: FeatureModel, *, atol: float = 0.02) -> bool:
    """The rows were drawn with the effects 0.6 and -0.4 of the first two features."""
    features = np.eye(2, N_FEATURES)
    effects = np.log(model.predict(features) / model.predict(np.zeros((1, N_FEATURES))))
    return bool(np.allclose(effects, [0.6, -0.4], atol=atol))


def _peak_memory_mib() -> float:
    done = subprocess.run(  # noqa: S603 - a fixed program
        [sys.executable, "-c", PEAK_MEMORY_PROGRAM],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)
