"""Growing boosted trees: the only module that imports LightGBM."""

from typing import Any, Final

import lightgbm
import numpy as np

from scoring.engine.arrays import Floats, Integers
from scoring.engine.models.boosted import BoostedPoisson
from scoring.engine.training import TrainingRows, TrainingWindow

N_TREES: Final = 120
EVENTS_PER_LEAF: Final = 12.0

PARAMETERS: Final[dict[str, Any]] = {
    "objective": "poisson",
    "learning_rate": 0.05,
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


def fit_boosted_poisson(window: TrainingWindow) -> BoostedPoisson:
    """Grow trees on the rows of a training window."""
    return grow_trees(window.rows)


def grow_trees(rows: TrainingRows, *, n_trees: int = N_TREES) -> BoostedPoisson:
    """Minimise the Poisson deviance by gradient boosting (Friedman 2001).

    Leaves hold rows worth `EVENTS_PER_LEAF` expected events or more, which is what
    the hessian of the Poisson deviance counts.
    """
    base = float(np.log(rows.weight @ rows.observed / rows.weight.sum()))
    trained = lightgbm.train(
        {**PARAMETERS, "min_sum_hessian_in_leaf": EVENTS_PER_LEAF},
        lightgbm.Dataset(
            rows.features,
            rows.observed,
            weight=rows.weight,
            init_score=np.full(rows.observed.size, base),
        ),
        num_boost_round=n_trees,
    )
    trees = [tree["tree_structure"] for tree in trained.dump_model()["tree_info"]]
    return _as_arrays(trees, base)


def _as_arrays(trees: list[dict[str, Any]], base: float) -> BoostedPoisson:
    table: list[tuple[int, float, int, int, float]] = [(0, np.inf, 0, 0, base)]
    roots = [0, *(_append(tree, table) for tree in trees)]
    feature, threshold, left, right, value = zip(*table, strict=True)
    return BoostedPoisson(
        feature=_integers(feature),
        threshold=_floats(threshold),
        left=_integers(left),
        right=_integers(right),
        value=_floats(value),
        roots=_integers(roots),
        depth=max((_depth(tree) for tree in trees), default=0),
    )


def _append(
    node: dict[str, Any], table: list[tuple[int, float, int, int, float]]
) -> int:
    """Add a node and all below it to the table; its place there."""
    place = len(table)
    if "leaf_value" in node:
        table.append((0, np.inf, place, place, float(node["leaf_value"])))
        return place
    table.append((0, 0.0, 0, 0, 0.0))
    left = _append(node["left_child"], table)
    right = _append(node["right_child"], table)
    table[place] = (node["split_feature"], node["threshold"], left, right, 0.0)
    return place


def _depth(node: dict[str, Any]) -> int:
    if "leaf_value" in node:
        return 0
    return 1 + max(_depth(node["left_child"]), _depth(node["right_child"]))


def _integers(values: Any) -> Integers:
    return np.array(values, dtype=np.int64)


def _floats(values: Any) -> Floats:
    return np.array(values, dtype=np.float64)
