"""Boosted regression trees as arrays: evaluated without the library that grew them."""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from scoring.engine.arrays import Floats, Integers
from scoring.engine.snapshots import Snapshot

ROWS_PER_BLOCK: Final = 2_048
LINEAR_BOUND: Final = 12.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoostedPoisson:
    """Trees whose leaves add up to the logarithm of the mean.

    Attributes
    ----------
    feature, left, right : ndarray of shape (n_nodes,), int64
        Nodes of all trees in one table: the feature a node looks at and where it
        sends a row next. A leaf sends every row to itself.
    threshold : ndarray of shape (n_nodes,)
        A row goes left where its feature is at most this.
    value : ndarray of shape (n_nodes,)
        What a leaf adds, zero elsewhere.
    roots : ndarray of shape (n_trees,), int64
    depth : int
        Steps from a root to its deepest leaf.
    """

    kind: ClassVar[str] = "boosted_poisson"
    recalibrates: ClassVar[bool] = True

    feature: Integers
    left: Integers
    right: Integers
    threshold: Floats
    value: Floats
    roots: Integers
    depth: int

    def predict(self, features: Floats) -> Floats:
        """Mean number of events per row, shape (n_rows,)."""
        blocks = [
            self._linear(features[start : start + ROWS_PER_BLOCK])
            for start in range(0, features.shape[0], ROWS_PER_BLOCK)
        ]
        linear = np.concatenate(blocks) if blocks else np.zeros(0)
        return np.exp(np.minimum(linear, LINEAR_BOUND))

    def mean_of(self, snapshot: Snapshot) -> Floats:
        """Mean number of events per cell, shape (n_cells,)."""
        return self.predict(snapshot.features)

    def _linear(self, features: Floats) -> Floats:
        n_rows, n_features = features.shape
        flat = np.ascontiguousarray(features).ravel()
        offset = np.arange(n_rows) * n_features
        node = np.repeat(self.roots[:, None], n_rows, axis=1)
        for _ in range(self.depth):
            seen = flat[self.feature[node] + offset]
            node = np.where(
                seen <= self.threshold[node], self.left[node], self.right[node]
            )
        return np.asarray(self.value[node].sum(axis=0))
