"""Rolling-origin back-test: forecasts as they would have been made, then scored."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.errors import EngineError
from scoring.engine.events import EventHistory
from scoring.engine.fitting import fit_on_window
from scoring.engine.forecast_tables import ForecastTable, forecast_tables
from scoring.engine.grid import Grid
from scoring.engine.models.registry import BASELINES
from scoring.engine.report import BacktestReport, report_of
from scoring.engine.training import open_window

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestPlan:
    """What to forecast and what to compare.

    Attributes
    ----------
    horizon_s : float
    n_origins : int
        Windows of the test block, at the end of the record, one after the other.
    timezone : str
    kind : str
        The model under test, of `models.registry.KINDS`.
    baselines : tuple of str
    end_s : float, optional
        Where the last window ends, unix seconds; just after the last event if not
        given.
    """

    horizon_s: float
    n_origins: int
    timezone: str
    kind: str = "ensemble"
    baselines: tuple[str, ...] = BASELINES
    end_s: float | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The model under test and each baseline once."""
        return tuple(dict.fromkeys((self.kind, *self.baselines)))


def backtest(
    history: EventHistory,
    grid: Grid,
    *,
    plan: BacktestPlan,
    progress: Progress | None = None,
) -> BacktestReport:
    """Forecast the end of a record from what was known before, and score it.

    Every model is fitted once, on what was known when the test block begins, and
    recalibrates its level on the windows before each origin.

    Parameters
    ----------
    history : EventHistory
    grid : Grid
    plan : BacktestPlan
    progress : callable, optional
        Called with (kind, models done, models in all) before each model.
    """
    return report_of(run_backtest(history, grid, plan=plan, progress=progress), grid)


def run_backtest(
    history: EventHistory,
    grid: Grid,
    *,
    plan: BacktestPlan,
    progress: Progress | None = None,
) -> tuple[ForecastTable, ...]:
    """The forecasts of every model of a plan, the model under test first."""
    origins_s = block_origins(history, plan)
    window = open_window(
        history,
        grid,
        horizon_s=plan.horizon_s,
        timezone=plan.timezone,
        until_s=float(origins_s[0]),
    )
    forecasters = []
    for done, kind in enumerate(plan.kinds):
        if progress is not None:
            progress(kind, done, len(plan.kinds))
        forecasters.append(fit_on_window(window, kind))
    return forecast_tables(forecasters, history, grid, origins_s)


def block_origins(history: EventHistory, plan: BacktestPlan) -> Floats:
    """Instants of the test block, a horizon apart, up to the end of the record."""
    if plan.n_origins < 1 or len(history) == 0:
        raise EngineError("A back-test needs at least one origin and one event.")
    # The last event closes the record: its window holds it.
    last_s = float(np.nextafter(history.occurred_s[-1], np.inf))
    end_s = last_s if plan.end_s is None else plan.end_s
    steps = np.arange(plan.n_origins, 0, -1, dtype=np.float64)
    return np.asarray(end_s - plan.horizon_s * steps)
