"""Figures of a loss distribution that is known by scenarios, with their errors."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import bdtr, bdtrik

from scoring.engine.arrays import Floats
from scoring.engine.errors import EngineError

CONFIDENCE: Final = 0.95
# Products like 0.07 * 100 come out a little too large.
ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The worst 1 - `quantile` of all scenarios.

    Attributes
    ----------
    var : float
        Value at risk: the smallest loss that a share `quantile` does not exceed.
    var_low, var_high : float
        Interval that holds the true quantile with probability `CONFIDENCE`;
        `var_high` is infinite where there are too few scenarios to bound it.
    tvar : float
        Mean of the tail.
    tvar_error : float
        Standard error of `tvar`.
    """

    quantile: float
    var: float
    var_low: float
    var_high: float
    tvar: float
    tvar_error: float


def tail_of(losses: Floats, quantile: float) -> Tail:
    """VaR and TVaR with their Monte Carlo errors.

    Parameters
    ----------
    losses : ndarray of shape (n_scenarios,)
        Of equally likely scenarios.
    quantile : float
        Strictly between 0 and 1.

    Notes
    -----
    TVaR is the expected shortfall of Acerbi & Tasche (2002), which splits an atom at
    the value at risk: E[L | L >= VaR] would not be coherent where losses repeat, and
    most of all where most scenarios cost nothing. Without atoms both agree. The
    interval is between two order statistics by the binomial distribution of ranks
    (Conover 1999, ch. 3.2), the error the asymptotic one (Manistre & Hancock 2005).
    """
    size = losses.size
    low, high = _rank_interval(quantile, size)
    ranks = [max(low, 0), _rank(quantile, size), min(high, size - 1)]
    var_low, var, var_high = _at_ranks(losses, ranks).tolist()
    weights = tail_weights(losses, quantile)
    tvar = var + float(weights @ np.maximum(losses - var, 0.0))
    scatter = float(weights @ np.square(losses - tvar))
    variance = (scatter + quantile * (tvar - var) ** 2) / (size * (1.0 - quantile))
    return Tail(
        quantile=quantile,
        var=var,
        var_low=var_low if low >= 0 else 0.0,
        var_high=var_high if high < size else np.inf,
        tvar=tvar,
        tvar_error=float(np.sqrt(variance)),
    )


def tail_weights(losses: Floats, quantile: float) -> Floats:
    """Weight of each scenario in TVaR, summing to 1, shape (n_scenarios,).

    Scenarios beyond the value at risk weigh 1 / (n (1 - quantile)); those at it share
    what is left equally.
    """
    if not 0.0 < quantile < 1.0:
        raise EngineError("A quantile of losses lies strictly between 0 and 1.")
    (var,) = _at_ranks(losses, [_rank(quantile, losses.size)])
    share = losses.size * (1.0 - quantile)
    beyond, at = losses > var, losses == var
    left = max(share - np.count_nonzero(beyond), 0.0)
    return np.where(beyond, 1.0, np.where(at, left / np.count_nonzero(at), 0.0)) / share


def exceeded_at(losses: Floats, probabilities: Floats) -> Floats:
    """Loss that is exceeded with each probability: points of AEP or OEP."""
    ranks = [_rank(1.0 - probability, losses.size) for probability in probabilities]
    return _at_ranks(losses, ranks)


def mean_error(losses: Floats) -> float:
    """Standard error of the mean loss."""
    return float(losses.std(ddof=1) / np.sqrt(losses.size)) if losses.size > 1 else 0.0


def risk_score(values: Floats, p_event: Floats) -> float:
    """Probability that the place of a unit of value sees an event, in [0, 1].

    The mean of `p_event` over assets, weighed by value; without any value, the
    plain mean.
    """
    weights = values if values.sum() > 0.0 else np.ones(values.size)
    return float(np.clip(np.average(p_event, weights=weights), 0.0, 1.0))


def _rank(quantile: float, size: int) -> int:
    """Position of the quantile among ascending losses, counting from 0."""
    return min(max(int(np.ceil(quantile * size - ROUNDING)), 1), size) - 1


def _at_ranks(losses: Floats, ranks: list[int]) -> Floats:
    """Losses at some positions of the ascending order, without the whole order."""
    positions = np.array(ranks, dtype=np.intp)
    return np.asarray(np.partition(losses, positions)[positions])


def _rank_interval(quantile: float, size: int) -> tuple[int, int]:
    """Positions whose losses enclose the quantile; outside [0, size) is no bound."""
    doubt = (1.0 - CONFIDENCE) / 2.0
    low, high = (_binomial_quantile(p, size, quantile) for p in (doubt, 1.0 - doubt))
    return low - 1, high


def _binomial_quantile(probability: float, size: int, share: float) -> int:
    """Give the least number of `size` draws that is exceeded no oftener than it may."""
    # The inverse is of a continuous function, and a rounding error off at times.
    count = max(int(bdtrik(probability, size, share)) - 1, 0)
    while bdtr(float(count), size, share) < probability:
        count += 1
    return count
