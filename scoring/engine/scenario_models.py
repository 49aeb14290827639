"""Joint scenarios of events that agree with a forecast, cell by cell and in total."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.branching import BranchingProcess, branching_process, steps_of
from scoring.engine.distributions import CellDistribution
from scoring.engine.models.hawkes import LinearHawkes, fit_linear_hawkes
from scoring.engine.simulation import ScenarioSet, simulate
from scoring.engine.snapshots import Snapshot
from scoring.engine.state import DAY_S
from scoring.engine.training import TrainingWindow, open_window

N_WEIGHTS: Final = 256
N_PILOT: Final = 1_000
N_BISECTIONS: Final = 5
LARGEST_FRAILTY: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScenarioModel:
    """How events of a region beget others, step by step.

    Attributes
    ----------
    hawkes : LinearHawkes
        Fitted for one step of the simulation.
    weights : ndarray of shape (256,)
        Quantiles of the weights of past events, ascending.
    """

    hawkes: LinearHawkes
    weights: Floats


def fit_scenario_model(window: TrainingWindow) -> ScenarioModel:
    """Fit the triggering of events on a training window, in steps of a day or less."""
    step_s = steps_of(window.horizon_s, longest_s=DAY_S)
    step_window = window
    if step_s < window.horizon_s:
        step_window = open_window(
            window.history,
            window.grid,
            horizon_s=step_s,
            timezone=window.timezone,
            until_s=window.until_s,
        )
    ranks = (np.arange(N_WEIGHTS) + 0.5) / N_WEIGHTS
    return ScenarioModel(
        hawkes=fit_linear_hawkes(step_window),
        weights=np.quantile(window.history.weight, ranks),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScenarioRequest:
    """The forecast that scenarios shall agree with.

    Attributes
    ----------
    forecast : CellDistribution
    horizon_s : float
    region_alpha : float
        NB2 dispersion of the total number of events.
    """

    forecast: CellDistribution
    horizon_s: float
    region_alpha: float


def joint_scenarios(
    model: ScenarioModel,
    snapshot: Snapshot,
    request: ScenarioRequest,
    *,
    n_scenarios: int,
    seed: int,
) -> ScenarioSet:
    """Simulate a region's events so that they agree with a forecast.

    The branching process is tilted until the expected number of events of every cell
    is the forecast's. What triggering leaves of the dispersion of cells is found by
    bisection, so that as many cells have an event as the forecast says; what is left
    of the dispersion of the total becomes a factor that all cells share.

    Parameters
    ----------
    model : ScenarioModel
    snapshot : Snapshot
        As of the beginning of the horizon.
    request : ScenarioRequest
    n_scenarios, seed : int
        The same seed gives the same scenarios, and the first n of more.
    """
    forecast = request.forecast
    process = branching_process(
        model.hawkes,
        snapshot,
        horizon_s=request.horizon_s,
        mean_weight=float(model.weights.mean()),
    ).tilted_to(forecast.mean)
    alpha = forecast.alpha * _alpha_share(process, model.weights, forecast, seed)
    pilot = simulate(
        process, n_scenarios=N_PILOT, seed=seed, alpha=alpha, weights=model.weights
    )
    totals = np.bincount(pilot.scenario, minlength=N_PILOT)
    found = (totals.var() - totals.mean()) / max(float(totals.mean()) ** 2, 1e-12)
    frailty = float(np.clip(request.region_alpha - found, 0.0, LARGEST_FRAILTY))
    return simulate(
        process,
        n_scenarios=n_scenarios,
        seed=seed,
        alpha=alpha,
        frailty=frailty,
        weights=model.weights,
    )


def _alpha_share(
    process: BranchingProcess,
    weights: Floats,
    forecast: CellDistribution,
    seed: int,
) -> float:
    """Share of the cells' dispersion that triggering does not explain, in [0, 1]."""
    wanted = float(forecast.p_event.sum())
    low, high = 0.0, 1.0
    for _ in range(N_BISECTIONS):
        middle = (low + high) / 2.0
        pilot = simulate(
            process,
            n_scenarios=N_PILOT,
            seed=seed,
            alpha=forecast.alpha * middle,
            weights=weights,
        )
        busy = pilot.counts()
        busy.sum_duplicates()
        # More dispersion gathers the same events in fewer cells.
        if busy.nnz / N_PILOT > wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
