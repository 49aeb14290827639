"""Growing boosted trees: the only module that imports LightGBM."""

from typing import Any, Final

import lightgbm
import numpy as np

from scoring.engine.arrays import Flags, Floats, Integers
from scoring.engine.models.boosted import BoostedPoisson
from scoring.engine.training import TrainingRows

EVENTS_PER_LEAF: Final = 12.0
# Feature, threshold, place of the left child, value.
Node = tuple[int, float, int, float]

PARAMETERS: Final[dict[str, Any]] = {
    "objective": "poisson",
    "learning_rate": 0.06,
    "num_leaves": 15,
    "lambda_l2": 10.0,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "max_bin": 127,
    "use_missing": False,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 0,
    "verbosity": -1,
}


def grow_trees(
    rows: TrainingRows,
    *,
    n_trees: int,
    usable: Flags,
    log_base: Floats | None = None,
) -> BoostedPoisson:
    """Minimise the Poisson deviance by gradient boosting (Friedman 2001).

    Leaves hold rows worth `EVENTS_PER_LEAF` expected events or more, which is what
    the hessian of the Poisson deviance counts.

    Parameters
    ----------
    rows : TrainingRows
    n_trees : int
    usable : ndarray of shape (n_features,), bool
        Columns that trees may look at: they cannot follow a trend beyond what they
        have seen.
    log_base : ndarray of shape (n_rows,), optional
        Logarithm of a mean to start from, which the trees then correct and do not
        contain. Without it they start from the mean of all rows and contain it.
    """
    start = float(np.log(rows.weight @ rows.observed / rows.weight.sum()))
    base = np.full(rows.observed.size, start) if log_base is None else log_base
    features = np.where(usable, rows.features, 0.0)
    trained = lightgbm.train(
        {**PARAMETERS, "min_sum_hessian_in_leaf": EVENTS_PER_LEAF},
        lightgbm.Dataset(
            features,
            rows.observed,
            weight=rows.weight,
            init_score=base,
        ),
        num_boost_round=n_trees,
    )
    trees = [tree["tree_structure"] for tree in trained.dump_model()["tree_info"]]
    return _as_arrays(trees, start if log_base is None else 0.0)


def _as_arrays(trees: list[dict[str, Any]], base: float) -> BoostedPoisson:
    table: list[Node] = [(0, np.inf, 0, base)]
    roots = [0, *(_append(tree, table) for tree in trees)]
    feature, threshold, left, value = zip(*table, strict=True)
    return BoostedPoisson(
        feature=_integers(feature),
        threshold=_floats(threshold),
        left=_integers(left),
        value=_floats(value),
        roots=_integers(roots),
        depth=max((_depth(tree) for tree in trees), default=0),
    )


def _append(tree: dict[str, Any], table: list[Node]) -> int:
    """Add the nodes of a tree to the table, siblings side by side; its root there."""
    root = len(table)
    table.append((0, np.inf, root, 0.0))
    waiting = [(tree, root)]
    while waiting:
        node, place = waiting.pop()
        if "leaf_value" in node:
            table[place] = (0, np.inf, place, float(node["leaf_value"]))
            continue
        left = len(table)
        table[place] = (node["split_feature"], node["threshold"], left, 0.0)
        children = (node["left_child"], node["right_child"])
        for child_place, child in enumerate(children, start=left):
            table.append((0, np.inf, child_place, 0.0))
            waiting.append((child, child_place))
    return root


def _depth(node: dict[str, Any]) -> int:
    if "leaf_value" in node:
        return 0
    return 1 + max(_depth(node["left_child"]), _depth(node["right_child"]))


def _integers(values: Any) -> Integers:
    return np.array(values, dtype=np.int64)


def _floats(values: Any) -> Floats:
    return np.array(values, dtype=np.float64)
