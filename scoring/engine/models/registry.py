"""Every model family under the name by which it is asked for."""

from collections.abc import Callable
from importlib import import_module
from typing import Final

from scoring.engine.errors import EngineError
from scoring.engine.forecasters import MeanModel
from scoring.engine.models.boosted import BoostedPoisson
from scoring.engine.models.ensemble import Ensemble
from scoring.engine.models.glm import PoissonGlm, fit_glm
from scoring.engine.models.hawkes import LinearHawkes, fit_linear_hawkes
from scoring.engine.models.hotspot import ProspectiveHotspot, fit_prospective_hotspot
from scoring.engine.models.long_run import (
    KernelDensity,
    LongRunCount,
    TimeIndependent,
    fit_kernel_density,
    fit_long_run_count,
    fit_time_independent,
)
from scoring.engine.training import TrainingWindow

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
    BoostedPoisson,
    Ensemble,
)
KINDS: Final = tuple(model.kind for model in MODEL_TYPES)


def fit_model(kind: str, window: TrainingWindow) -> MeanModel:
    """Fit one model family on a training window."""
    if kind not in _FITTERS:
        raise EngineError(f"No model is called {kind!r}. Choose from {list(KINDS)}.")
    return _FITTERS[kind](window)


def _fit_boosted(window: TrainingWindow) -> BoostedPoisson:
    # Serving needs the trees alone; the library that grows them is slow to import.
    boosting = import_module("scoring.engine.models.boosting")
    model: BoostedPoisson = boosting.fit_boosted_poisson(window)
    return model


def _fit_ensemble(window: TrainingWindow) -> Ensemble:
    return Ensemble(smooth=fit_glm(window), flexible=_fit_boosted(window))


_FITTERS: Final[dict[str, Callable[[TrainingWindow], MeanModel]]] = {
    "long_run_count": fit_long_run_count,
    "kernel_density": fit_kernel_density,
    "prospective_hotspot": fit_prospective_hotspot,
    "time_independent": fit_time_independent,
    "linear_hawkes": fit_linear_hawkes,
    "poisson_glm": fit_glm,
    "boosted_poisson": _fit_boosted,
    "ensemble": _fit_ensemble,
}
