"""Fit model versions, each written whole with artifacts and skill, or not at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scoring.engine.artifacts import dump_artifact
from scoring.engine.backtesting import BacktestPlan, backtest
from scoring.engine.errors import EngineError
from scoring.engine.events import EventHistory
from scoring.engine.fitting import fit_forecaster
from scoring.engine.forecasters import Forecaster
from scoring.engine.grid import Grid
from scoring.errors import TooFewEventsError
from scoring.models import ModelArtifact, ModelVersion, Region
from scoring.selectors.events import load_usable_record, notes_on
from scoring.services.registry.versions import new_artifact, register_version

BASELINE = "long_run_count"
# The back-test forecasts the end of the record; most of it is left to learn from.
BACKTEST_SHARE = 0.3
MOST_ORIGINS = 60
FEWEST_ORIGINS = 4

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """What to fit: `kind` is one of the engine's models, `until` ends the window."""

    grid: Grid
    until: datetime
    horizons_sec: Sequence[int]
    kind: str


def train_model_version(
    region: Region, *, plan: TrainingPlan, progress: Progress
) -> ModelVersion:
    """Fit one forecaster a horizon, back-test it, and register a candidate.

    What a reader of its figures should know is in its `notes`: events that were left
    out, and horizons for which the record is too short.

    Raises
    ------
    TooFewEventsError
        No horizon can be fitted.
    """
    progress("Reading the events of the region")
    record = load_usable_record(region, plan.grid, until=plan.until)
    history, notes = record.history, notes_on(record)
    artifacts: list[ModelArtifact] = []
    skill: dict[str, Any] = {}
    for horizon_sec in plan.horizons_sec:
        hours = horizon_sec // 3_600
        progress(f"Fitting {plan.kind} for {hours} h on {len(history)} events")
        try:
            forecaster = _fit(region, history, plan, horizon_sec)
        except EngineError as error:
            notes.append(f"{hours} h cannot be forecast: {error}")
            continue
        progress(f"Back-testing {plan.kind} for {hours} h against {BASELINE}")
        skill[str(horizon_sec)] = _measure_skill(region, history, plan, horizon_sec)
        artifacts.append(new_artifact(dump_artifact(forecaster), horizon_sec))
    for note in notes:
        progress(f"Note: {note}")
    if not artifacts:
        raise TooFewEventsError(
            f"No model of {region.slug!r} was fitted. {' '.join(notes)}",
            region=region.slug,
        )
    version = ModelVersion(
        region=region,
        kind=plan.kind,
        trained_from=datetime.fromtimestamp(float(history.occurred_s[0]), tz=UTC),
        trained_until=plan.until,
        event_count=len(history),
        skill=skill,
        notes=notes,
    )
    return register_version(version, artifacts)


def _fit(
    region: Region, history: EventHistory, plan: TrainingPlan, horizon_sec: int
) -> Forecaster:
    return fit_forecaster(
        history,
        plan.grid,
        horizon_s=horizon_sec,
        timezone=region.timezone,
        until_s=plan.until.timestamp(),
        kind=plan.kind,
    )


def _measure_skill(
    region: Region, history: EventHistory, plan: TrainingPlan, horizon_sec: int
) -> dict[str, Any] | None:
    """Back-test on the end of the record; None where the record is too short."""
    record_s = float(history.occurred_s[-1] - history.occurred_s[0])
    n_origins = min(MOST_ORIGINS, int(BACKTEST_SHARE * record_s / horizon_sec))
    if n_origins < FEWEST_ORIGINS:
        return None
    test = BacktestPlan(
        kind=plan.kind,
        baselines=(BASELINE,),
        horizon_s=horizon_sec,
        n_origins=n_origins,
        timezone=region.timezone,
    )
    try:
        return backtest(history, plan.grid, plan=test).as_dict()
    except EngineError:
        return None
