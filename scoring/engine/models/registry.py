"""Every model family under the name by which it is asked for."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Final, TypeVar

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.errors import EngineError
from scoring.engine.forecasters import MeanModel
from scoring.engine.models.boosted import BoostedPoisson
from scoring.engine.models.ensemble import (
    N_MEMBERS,
    Ensemble,
    log_means,
    stacked_shares,
)
from scoring.engine.models.glm import PoissonGlm, fit_glm
from scoring.engine.models.hawkes import LinearHawkes, fit_linear_hawkes
from scoring.engine.models.hotspot import ProspectiveHotspot, fit_prospective_hotspot
from scoring.engine.models.linear import LinearPoisson, fit_linear_poisson
from scoring.engine.models.long_run import (
    KernelDensity,
    LongRunCount,
    TimeIndependent,
    fit_kernel_density,
    fit_long_run_count,
    fit_time_independent,
)
from scoring.engine.training import TrainingWindow

Model = TypeVar("Model", bound=MeanModel)

N_TREES: Final = (20, 220)
EVENTS_PER_TREE: Final = 25
BASELINES: Final = (
    "long_run_count",
    "kernel_density",
    "prospective_hotspot",
    "time_independent",
    "linear_hawkes",
)
MODEL_TYPES: Final[tuple[type[MeanModel], ...]] = (
    LongRunCount,
    KernelDensity,
    ProspectiveHotspot,
    TimeIndependent,
    LinearHawkes,
    PoissonGlm,
    LinearPoisson,
    BoostedPoisson,
    Ensemble,
)
KINDS: Final = tuple(model.kind for model in MODEL_TYPES)


def fit_model(kind: str, window: TrainingWindow) -> MeanModel:
    """Fit one model family on a training window, once per window."""
    if kind not in _FITTERS:
        raise EngineError(f"No model is called {kind!r}. Choose from {list(KINDS)}.")
    if kind not in window.fitted:
        window.fitted[kind] = _FITTERS[kind](window)
    model: MeanModel = window.fitted[kind]
    return model


def _grow_trees(
    window: TrainingWindow, log_base: Floats | None = None
) -> BoostedPoisson:
    # Serving needs the trees alone; the library that grows them is slow to import.
    boosting = import_module("scoring.engine.models.boosting")
    model: BoostedPoisson = boosting.grow_trees(
        window.rows,
        n_trees=int(np.clip(len(window.history) / EVENTS_PER_TREE, *N_TREES)),
        usable=window.usable_columns,
        log_base=log_base,
    )
    return model


def _fit_ensemble(window: TrainingWindow) -> Ensemble:
    multiplicative = _fitted(PoissonGlm, window)
    additive = _fitted(LinearPoisson, window)
    regressions = log_means((multiplicative, additive), window.rows.features)
    ensemble = Ensemble(
        multiplicative=multiplicative,
        additive=additive,
        correction=_grow_trees(window, regressions.mean(axis=0)),
        trees=_fitted(BoostedPoisson, window),
        shares=np.full(N_MEMBERS, 1.0 / N_MEMBERS),
    )
    # The beginning of a window has no later rows of its own to be judged by.
    if window.whole is not None:
        return ensemble
    earlier = _fitted(Ensemble, window.training_part)
    held_out = window.rows.where(
        window.rows.origin >= window.training_part.origins_s.size
    )
    log_members = earlier.log_members(held_out.features)
    shares = stacked_shares(log_members, held_out.observed, held_out.weight)
    return replace(ensemble, shares=shares)


def _fitted(model_type: type[Model], window: TrainingWindow) -> Model:
    model = fit_model(model_type.kind, window)
    if not isinstance(model, model_type):
        raise EngineError(f"The fitter of {model_type.kind} returned another model.")
    return model


_FITTERS: Final[dict[str, Callable[[TrainingWindow], MeanModel]]] = {
    "long_run_count": fit_long_run_count,
    "kernel_density": fit_kernel_density,
    "prospective_hotspot": fit_prospective_hotspot,
    "time_independent": fit_time_independent,
    "linear_hawkes": fit_linear_hawkes,
    "poisson_glm": fit_glm,
    "linear_poisson": fit_linear_poisson,
    "boosted_poisson": _grow_trees,
    "ensemble": _fit_ensemble,
}
