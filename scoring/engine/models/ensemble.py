"""The served model: a weighted geometric mean of models that err differently."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from scoring.engine.arrays import Floats
from scoring.engine.models.boosted import LINEAR_BOUND, BoostedPoisson
from scoring.engine.models.glm import PoissonGlm
from scoring.engine.models.linear import LinearPoisson
from scoring.engine.snapshots import Snapshot

SMALLEST: Final = 1e-12
N_MEMBERS: Final = 4
# Pull towards equal shares per event: what a few events prefer is chance.
PULL_TO_EQUAL: Final = 0.03

Member = PoissonGlm | LinearPoisson


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ensemble:
    """Geometric mean of two regressions, of both corrected by trees, and of trees.

    The correction is of the geometric mean of the two regressions. Beyond what has
    been seen in training it stays what it was, and the regressions go on.

    Attributes
    ----------
    multiplicative, additive : models
    correction : BoostedPoisson
        Grown from the geometric mean of the two.
    trees : BoostedPoisson
        Grown from the mean of all rows.
    shares : ndarray of shape (4,)
        Exponents of the multiplicative, the additive, the corrected member and the
        trees; not negative, their sum is one.
    """

    kind: ClassVar[str] = "ensemble"
    recalibrates: ClassVar[bool] = True

    multiplicative: PoissonGlm
    additive: LinearPoisson
    correction: BoostedPoisson
    trees: BoostedPoisson
    shares: Floats

    def predict(self, features: Floats) -> Floats:
        """Mean number of events per row, shape (n_rows,)."""
        return self.pooled(features)[0]

    def pooled(self, features: Floats) -> tuple[Floats, Floats]:
        """Mean, and the variance between members of its logarithm, (n_rows,) each."""
        members = self.log_members(features)
        log_mean = self.shares @ members
        return np.exp(log_mean), self.shares @ np.square(members - log_mean)

    def mean_of(self, snapshot: Snapshot) -> Floats:
        """Mean number of events per cell, shape (n_cells,)."""
        return self.predict(snapshot.features)

    def log_members(self, features: Floats) -> Floats:
        """Logarithm of the mean of each member, shape (4, n_rows)."""
        regressions = log_means((self.multiplicative, self.additive), features)
        corrected = regressions.mean(axis=0) + self.correction.sum_of_leaves(features)
        grown = np.vstack([corrected, self.trees.sum_of_leaves(features)])
        return np.vstack([regressions, np.minimum(grown, LINEAR_BOUND)])


def log_means(members: Sequence[Member], features: Floats) -> Floats:
    """Logarithm of the mean of each member, shape (n_members, n_rows)."""
    means = [member.predict(features) for member in members]
    return np.log(np.maximum(np.array(means), SMALLEST))


def stacked_shares(log_members: Floats, observed: Floats, weight: Floats) -> Floats:
    """Exponents of a geometric mean that maximise the likelihood of where events fell.

    Logarithmic pooling (Genest & Zidek 1986) under a Poisson likelihood with a free
    level, so that only the pattern counts. Shares are a softmax, drawn to equality.

    Parameters
    ----------
    log_members : ndarray of shape (n_members, n_rows)
        From members that have not seen these rows.
    observed, weight : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_members,)
    """
    log_weight = np.log(weight)
    happened = weight * observed
    n_events = max(float(happened.sum()), 1.0)

    def loss(free: Floats) -> float:
        shares = softmax(np.append(free, 0.0))
        pooled = shares @ log_members
        pattern = happened @ pooled / n_events
        level = float(logsumexp(pooled + log_weight))
        distance = np.square(shares - 1.0 / shares.size).sum()
        return level - float(pattern) + PULL_TO_EQUAL * float(distance)

    best = minimize(loss, np.zeros(log_members.shape[0] - 1), method="BFGS")
    return softmax(np.append(best.x, 0.0))
