"""Forecasts of several horizons that agree: the longer never expects less."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.engine.distributions import CellDistribution, distribution_of
from scoring.engine.errors import EngineError
from scoring.engine.forecasters import Forecaster
from scoring.engine.snapshots import Snapshot


def monotone_over_horizons(
    forecasts: Sequence[CellDistribution],
) -> tuple[CellDistribution, ...]:
    """Raise longer horizons so that means and P(N >= 1) never fall with the horizon.

    Every horizon has a model of its own, and what may happen by tomorrow may happen
    within the week. A mean is raised to that of the horizon before; where the
    probability still falls short, the number scatters no more than there, which
    raises the probability at the same mean. Forecasts that agree stay as they are.

    Parameters
    ----------
    forecasts : sequence of CellDistribution
        Of the same cells at the same instant, the shortest horizon first.
    """
    agreed: list[CellDistribution] = []
    for forecast in forecasts:
        if not agreed:
            agreed.append(forecast)
            continue
        agreed.append(_raised(forecast, agreed[-1]))
    return tuple(agreed)


class AgreedDistribution(NamedTuple):
    """`is_raised`, shape (n_cells,), where a shorter horizon expected more."""

    distribution: CellDistribution
    is_raised: NDArray[np.bool_]


def distribution_of_longest(
    forecasters: Sequence[Forecaster], snapshot: Snapshot
) -> AgreedDistribution:
    """Distribution of every cell at the last horizon, in agreement with the others.

    Parameters
    ----------
    forecasters : sequence of Forecaster
        Of one model version, by ascending horizon.
    snapshot : Snapshot

    Raises
    ------
    EngineError
        When the horizons do not ascend.
    """
    horizons_s = [forecaster.horizon_s for forecaster in forecasters]
    if not horizons_s or horizons_s != sorted(set(horizons_s)):
        raise EngineError("Forecasters to agree come in order of their horizons.")
    forecasts = [forecaster.distribution_at(snapshot) for forecaster in forecasters]
    agreed = monotone_over_horizons(forecasts)[-1]
    return AgreedDistribution(agreed, agreed.p_event > forecasts[-1].p_event)


def _raised(longer: CellDistribution, shorter: CellDistribution) -> CellDistribution:
    if longer.mean.shape != shorter.mean.shape:
        raise EngineError("Forecasts of several horizons cover the same cells.")
    mean = np.maximum(longer.mean, shorter.mean)
    raised = distribution_of(mean, longer.alpha, longer.rate_variance)
    alpha = np.where(
        raised.p_event < shorter.p_event,
        np.minimum(longer.alpha, shorter.alpha),
        longer.alpha,
    )
    return distribution_of(mean, alpha, longer.rate_variance)
