"""Benchmarks of the domain; `manage.py benchmark --suite inference` runs them."""

from collections.abc import Iterator

import numpy as np

from perf.bench.measurement import AnyMeasurement, Budget
from perf.bench.registry import registry
from scoring.engine.distributions import CellDistribution, distribution_of

N_CELLS = 100_000
SEED = 1


@registry.suite("inference")
def inference() -> Iterator[AnyMeasurement]:
    """From expected counts to probabilities and intervals, on one core."""
    rng = np.random.Generator(np.random.Philox(key=SEED))
    mean = rng.gamma(0.3, 0.1, size=N_CELLS)
    alpha = rng.gamma(2.0, 1.0, size=N_CELLS)
    yield Budget(
        name=f"p_event and three quantiles, {N_CELLS:,} cells",
        after=lambda: distribution_of(mean, alpha),
        check=_is_ordered,
        target_value=100.0,
        single_core=True,
    )


def _is_ordered(risk: CellDistribution) -> bool:
    """Hold the quantiles in order and the probability inside what can be."""
    ordered = (risk.q05 <= risk.q50) & (risk.q50 <= risk.q95)
    return bool(np.all(ordered & (risk.p_event > 0) & (risk.p_event < 1)))
