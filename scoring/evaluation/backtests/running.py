"""Back-test models on a record of events, one finished table after the other."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from riskplatform.kernel.errors import InvalidInputError
from scoring.engine.arrays import Floats
from scoring.engine.backtesting import BacktestPlan, block_origins
from scoring.engine.errors import EngineError
from scoring.engine.events import EventHistory
from scoring.engine.fitting import fit_on_window
from scoring.engine.forecast_tables import ForecastTable, forecast_tables
from scoring.engine.grid import Grid
from scoring.engine.models.registry import BASELINES, KINDS
from scoring.engine.report import BacktestReport, report_of
from scoring.engine.training import TrainingWindow, open_window
from scoring.errors import TooFewEventsError
from scoring.evaluation.backtests.table_store import TableStore, key_of_inputs
from scoring.horizons import HORIZONS_SEC, SERVED_KIND, horizon_word

DEFAULT_KINDS: Final = (SERVED_KIND, *BASELINES)
FEWEST_ORIGINS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestRequest:
    """Which models to compare, how far ahead and how often.

    `kinds` holds the model under test first; every other one is a baseline to it.
    """

    kinds: tuple[str, ...]
    horizons_sec: tuple[int, ...]
    n_origins: int

    def __post_init__(self) -> None:
        if self.n_origins < FEWEST_ORIGINS:
            raise InvalidInputError(
                f"A back-test of {self.n_origins} origins says nothing. "
                f"Use at least {FEWEST_ORIGINS}."
            )


def parse_kinds(words: str) -> tuple[str, ...]:
    """Read `ensemble,long_run_count`; each model once, in the order given."""
    return _known(words, KINDS, noun="model")


def parse_horizons(words: str) -> tuple[int, ...]:
    """Read `1d,7d` as seconds; each horizon once, in the order given."""
    return tuple(
        HORIZONS_SEC[word] for word in _known(words, HORIZONS_SEC, noun="horizon")
    )


def _known(words: str, choices: Collection[str], *, noun: str) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(word.strip() for word in words.split(",")))
    unknown = [word for word in chosen if word not in choices]
    if unknown:
        raise InvalidInputError(
            f"There is no {noun} {', '.join(map(repr, unknown))}. "
            f"Choose from: {', '.join(choices)}.",
            unknown=unknown,
        )
    return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Events on a grid, and the zone whose clock they follow.

    `notes` says what was left out, one sentence each.
    """

    history: EventHistory
    grid: Grid
    timezone: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestProgress:
    """Where a back-test stands; `left_s` is None before anything was measured."""

    kind: str
    horizon_sec: int
    done: int
    total: int
    left_s: float | None
    is_resumed: bool

    def __str__(self) -> str:
        left = "" if self.left_s is None else f", {self.left_s:.0f} s left"
        verb = "Taking up" if self.is_resumed else "Fitting and back-testing"
        return (
            f"[{self.done + 1}/{self.total}{left}] {verb} {self.kind} "
            f"for {horizon_word(self.horizon_sec)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonResult:
    """Every model of one horizon: what it said, and how good that was.

    `resumed` names the models whose tables an earlier run had left.
    """

    horizon_sec: int
    tables: tuple[ForecastTable, ...]
    report: BacktestReport
    resumed: tuple[str, ...]


OnProgress = Callable[[BacktestProgress], None]

# Roughly how long a model takes beside the simplest one, to estimate what is left.
EFFORTS: Final = {"ensemble": 15.0, "boosted_poisson": 8.0, "poisson_glm": 8.0}


def run_backtests(
    record: Record,
    request: BacktestRequest,
    *,
    root: Path,
    resume: bool,
    on_progress: OnProgress,
) -> Iterator[HorizonResult]:
    """Forecast the last windows of a record from what was known before each.

    Finished tables are stored under `root`; with `resume` those of the same inputs are
    used again.

    Raises
    ------
    TooFewEventsError
        The record is too short for the horizon and the number of origins.
    """
    plan = f"{request.n_origins} origins"
    key = key_of_inputs(
        record.history, record.grid, timezone=record.timezone, plan=plan
    )
    store = TableStore.open(root, key=key)
    clock = _Clock(request)
    for horizon_sec in request.horizons_sec:
        origins_s = _last_origins(record, horizon_sec, n_origins=request.n_origins)
        tables: list[ForecastTable] = []
        resumed: list[str] = []
        window = None
        for kind in request.kinds:
            table = store.load(kind, horizon_sec) if resume else None
            on_progress(clock.progress(kind, horizon_sec, is_resumed=table is not None))
            if table is not None:
                resumed.append(kind)
            else:
                window = window or _open_training(record, horizon_sec, origins_s)
                table = _forecast_table(window, kind, record, origins_s)
                store.save(table)
            clock.end(kind, is_resumed=kind in resumed)
            tables.append(table)
        yield HorizonResult(
            horizon_sec=horizon_sec,
            tables=tuple(tables),
            report=report_of(tables, record.grid),
            resumed=tuple(resumed),
        )


class _Clock:
    """Estimates from the models that are done how long the others will take."""

    def __init__(self, request: BacktestRequest) -> None:
        self._n_horizons, self._kinds = len(request.horizons_sec), request.kinds
        self._done = 0
        self._left = self._n_horizons * sum(map(_effort, request.kinds))
        self._spent = self._spent_s = 0.0
        self._started_s = monotonic()

    def progress(
        self, kind: str, horizon_sec: int, *, is_resumed: bool
    ) -> BacktestProgress:
        self._started_s = monotonic()
        left_s = self._spent_s / self._spent * self._left if self._spent else None
        return BacktestProgress(
            kind=kind,
            horizon_sec=horizon_sec,
            done=self._done,
            total=self._n_horizons * len(self._kinds),
            left_s=left_s,
            is_resumed=is_resumed,
        )

    def end(self, kind: str, *, is_resumed: bool) -> None:
        self._done += 1
        self._left -= _effort(kind)
        if not is_resumed:
            self._spent += _effort(kind)
            self._spent_s += monotonic() - self._started_s


def _effort(kind: str) -> float:
    return EFFORTS.get(kind, 1.0)


def _last_origins(record: Record, horizon_sec: int, *, n_origins: int) -> Floats:
    """Instants a horizon apart, so that the last horizon ends with the record."""
    plan = BacktestPlan(
        horizon_s=float(horizon_sec), n_origins=n_origins, timezone=record.timezone
    )
    try:
        return block_origins(record.history, plan)
    except EngineError as error:
        raise TooFewEventsError(f"{error} Import events first.") from error


def _open_training(
    record: Record, horizon_sec: int, origins_s: Floats
) -> TrainingWindow:
    """Take what may be learnt from: it ends a whole horizon before the first origin."""
    try:
        return open_window(
            record.history,
            record.grid,
            horizon_s=float(horizon_sec),
            timezone=record.timezone,
            until_s=float(origins_s[0]) - horizon_sec,
        )
    except EngineError as error:
        raise TooFewEventsError(
            f"{error} The back-test holds out {origins_s.size} windows of "
            f"{horizon_sec} s; ask for fewer origins or a shorter horizon."
        ) from error


def _forecast_table(
    window: TrainingWindow, kind: str, record: Record, origins_s: Floats
) -> ForecastTable:
    """Fit one model and forecast every origin."""
    try:
        forecaster = fit_on_window(window, kind)
        return forecast_tables([forecaster], record.history, record.grid, origins_s)[0]
    except EngineError as error:
        raise TooFewEventsError(f"{kind} cannot be fitted: {error}") from error
