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
    feature, left : ndarray of shape (n_nodes,), int64
        Nodes of all trees in one table: the feature a node looks at and where it
        sends a row next, the right child lying behind the left one. A leaf sends
        every row to itself.
    threshold : ndarray of shape (n_nodes,)
        A row goes left where its feature is at most this, infinity in a leaf.
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
    threshold: Floats
    value: Floats
    roots: Integers
    depth: int

    def predict(self, features: Floats) -> Floats:
        """Mean number of events per row, shape (n_rows,)."""
        return np.exp(np.minimum(self.sum_of_leaves(features), LINEAR_BOUND))

    def sum_of_leaves(self, features: Floats) -> Floats:
        """What the trees add up to per row, shape (n_rows,)."""
        blocks = [
            self._of_block(features[start : start + ROWS_PER_BLOCK])
            for start in range(0, features.shape[0], ROWS_PER_BLOCK)
        ]
        return np.concatenate(blocks) if blocks else np.zeros(0)

    def mean_of(self, snapshot: Snapshot) -> Floats:
        """Mean number of events per cell, shape (n_cells,)."""
        return self.predict(snapshot.features)

    def _of_block(self, features: Floats) -> Floats:
        n_rows, n_features = features.shape
        flat = np.ascontiguousarray(features).ravel()
        offset = np.arange(n_rows) * n_features
        node = np.repeat(self.roots[:, None], n_rows, axis=1)
        for _ in range(self.depth):
            place = self.feature.take(node)
            place += offset
            goes_right = flat.take(place) > self.threshold.take(node)
            node = self.left.take(node)
            node += goes_right
        return np.asarray(self.value[node].sum(axis=0))
