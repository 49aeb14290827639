"""Fits model versions, registers them, and measures what they achieve."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Max

from riskplatform.kernel.changes import publish_changes
from scoring import change_names
from scoring.engine.artifacts import digest_of, dump_artifact
from scoring.engine.backtesting import BacktestPlan, backtest
from scoring.engine.errors import EngineError
from scoring.engine.events import EventHistory
from scoring.engine.fitting import fit_forecaster
from scoring.engine.forecasters import Forecaster
from scoring.engine.grid import Grid
from scoring.errors import ModelStateError, TooFewEventsError
from scoring.models import ModelArtifact, ModelVersion, Region
from scoring.selectors.events import load_usable_record, notes_on
from scoring.services.regions import lock_region

BASELINE: Final = "long_run_count"
# The back-test forecasts the end of the record; most of it is left to learn from.
BACKTEST_SHARE: Final = 0.3
MOST_ORIGINS: Final = 60
FEWEST_ORIGINS: Final = 4

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """What to fit: `kind` is one of the engine's models, `until` ends the window."""

    grid: Grid
    until: datetime
    horizons_sec: Sequence[int]
    kind: str


@dataclass(frozen=True, slots=True)
class Training:
    """A version that was fitted, and what on: its back-test needs the same."""

    version: ModelVersion
    plan: TrainingPlan
    history: EventHistory


def train_model_version(
    region: Region, *, plan: TrainingPlan, progress: Progress
) -> Training:
    """Fit one forecaster a horizon, and register the candidate.

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
    for horizon_sec in plan.horizons_sec:
        hours = horizon_sec // 3_600
        progress(f"Fitting {plan.kind} for {hours} h on {len(history):,} events")
        try:
            forecaster = _fit(region, history, plan, horizon_sec)
        except EngineError as error:
            notes.append(f"{hours} h cannot be forecast: {error}")
            continue
        artifacts.append(new_artifact(dump_artifact(forecaster), horizon_sec))
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
        notes=notes,
    )
    return Training(register_version(version, artifacts), plan, history)


def measure_skill(training: Training, *, progress: Progress) -> None:
    """Back-test a version that was fitted, and write down what it achieves."""
    version, plan = training.version, training.plan
    fitted = version.artifacts.values_list("horizon_sec", flat=True)
    skill: dict[str, Any] = {}
    for horizon_sec in fitted.order_by("horizon_sec"):
        hours = horizon_sec // 3_600
        progress(f"Back-testing {plan.kind} for {hours} h against {BASELINE}")
        skill[str(horizon_sec)] = _measure_skill(
            version.region, training.history, plan, horizon_sec
        )
    version.skill = skill
    version.save(update_fields=("skill",))
    publish_changes(change_names.forecasts_of(version.region.slug))


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


@transaction.atomic
def register_version(
    version: ModelVersion,
    artifacts: Sequence[ModelArtifact],
    *,
    number: int | None = None,
) -> ModelVersion:
    """Store a version and its artifacts, none of which is stored yet, as a candidate.

    Without a `number` it gets the next one of its region.

    Raises
    ------
    ModelStateError
        Its number is taken.
    """
    # Two fits of one region at once must not take one number.
    lock_region(version.region)
    versions = ModelVersion.objects.of_region(version.region)
    newest = versions.aggregate(newest=Max("number"))["newest"] or 0
    version.number = newest + 1 if number is None else number
    if versions.filter(number=version.number).exists():
        raise ModelStateError(
            f"Region {version.region.slug!r} has a model version {version.number} "
            "already."
        )
    version.state = ModelVersion.State.CANDIDATE
    version.save(force_insert=True)
    for artifact in artifacts:
        artifact.model_version = version
    ModelArtifact.objects.bulk_create(artifacts)
    return version


def new_artifact(body: bytes, horizon_sec: int) -> ModelArtifact:
    return ModelArtifact(horizon_sec=horizon_sec, digest=digest_of(body), body=body)
