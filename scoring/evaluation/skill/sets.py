"""Measure the served model on public event sets that lie in a folder."""

import resource
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from time import monotonic
from typing import Any, Final

from riskplatform.kernel.errors import InvalidInputError
from scoring.engine.frozen_sets import (
    EVENTS,
    FROZEN_SETS,
    FrozenSet,
    load_frozen_set,
)
from scoring.engine.report import BacktestReport
from scoring.errors import DatasetUnavailableError
from scoring.evaluation.backtests.running import (
    DEFAULT_KINDS,
    FEWEST_ORIGINS,
    BacktestProgress,
    BacktestRequest,
    HorizonResult,
    Record,
    run_backtests,
)
from scoring.evaluation.skill.targets import Finding, judge, reference_findings
from scoring.horizons import SERVED_HORIZONS_SEC

QUICK_ORIGINS: Final = 12
KIB_PER_MIB: Final = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class SetJob:
    """One set to measure; it crosses to another process.

    `most_origins` keeps a quick run short, None takes the whole test block.
    """

    data: Path
    name: str
    tables: Path
    most_origins: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonSkill:
    """A back-test of one horizon, and what it means for the targets."""

    horizon_sec: int
    report: BacktestReport
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSkill:
    """All horizons of one set, with what was read and what it took."""

    name: str
    file: str
    sha256: str
    smallest_severity: float | None
    n_events: int
    n_outside: int
    n_cells: int
    mean_area_km2: float
    resolution: int
    split_s: float
    horizons: tuple[HorizonSkill, ...]
    seconds: float
    peak_memory_mib: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def split_by_presence(
    data: Path, names: Sequence[str]
) -> tuple[list[str], dict[str, Path]]:
    """Name the sets whose file is there, and say where the others' was looked for.

    Raises
    ------
    InvalidInputError
        A name is not that of a set.
    DatasetUnavailableError
        No set is there.
    """
    unknown = [name for name in names if name not in FROZEN_SETS]
    if unknown:
        raise InvalidInputError(
            f"There is no set {', '.join(map(repr, unknown))}. "
            f"Choose from: {', '.join(FROZEN_SETS)}.",
            unknown=unknown,
        )
    paths = {name: data / FROZEN_SETS[name].folder / EVENTS for name in names}
    absent = {name: path for name, path in paths.items() if not path.is_file()}
    if len(absent) == len(paths):
        raise DatasetUnavailableError(
            f"None of the event sets is under {data}. "
            "Name their folder with --data or RISKPLATFORM_DATA."
        )
    return [name for name in paths if name not in absent], absent


def measure_sets(jobs: Sequence[SetJob], *, n_processes: int) -> Iterator[SetSkill]:
    """Measure set after set, or several at once, each in a process of its own."""
    if n_processes == 1:
        yield from map(measure_set, jobs)
        return
    with ProcessPoolExecutor(
        max_workers=n_processes,
        mp_context=get_context("spawn"),
        # What a set needed is given back before the next one starts.
        max_tasks_per_child=1,
    ) as pool:
        for future in as_completed([pool.submit(measure_set, job) for job in jobs]):
            yield future.result()


def measure_set(job: SetJob) -> SetSkill:
    """Back-test the served model against all baselines on one set's test block."""
    started_s = monotonic()
    frozen = load_frozen_set(job.data, job.name)
    description = FROZEN_SETS[job.name]
    horizons = tuple(
        _measure_horizon(job, frozen, horizon_sec)
        for horizon_sec in SERVED_HORIZONS_SEC
    )
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return SetSkill(
        name=job.name,
        file=f"{description.folder}/{EVENTS}",
        sha256=frozen.digest,
        smallest_severity=description.smallest_severity,
        n_events=len(frozen.history),
        n_outside=frozen.history.n_outside,
        n_cells=len(frozen.grid),
        mean_area_km2=float(frozen.grid.area_km2.mean()),
        resolution=description.resolution,
        split_s=frozen.split_s,
        horizons=horizons,
        seconds=monotonic() - started_s,
        peak_memory_mib=peak_kib / KIB_PER_MIB,
    )


def _measure_horizon(job: SetJob, frozen: FrozenSet, horizon_sec: int) -> HorizonSkill:
    n_origins = frozen.n_origins(horizon_sec)
    if job.most_origins is not None:
        n_origins = max(min(n_origins, job.most_origins), FEWEST_ORIGINS)
    result = _backtest(job, frozen, horizon_sec, n_origins=n_origins)
    return HorizonSkill(
        horizon_sec=horizon_sec,
        report=result.report,
        findings=(
            *judge(frozen.name, result, frozen.grid),
            *reference_findings(frozen, result),
        ),
    )


def _backtest(
    job: SetJob, frozen: FrozenSet, horizon_sec: int, *, n_origins: int
) -> HorizonResult:
    request = BacktestRequest(
        kinds=DEFAULT_KINDS, horizons_sec=(horizon_sec,), n_origins=n_origins
    )
    record = Record(history=frozen.history, grid=frozen.grid, timezone=frozen.timezone)

    def say(progress: BacktestProgress) -> None:
        # Straight to the terminal: this may be a process of its own.
        sys.stderr.write(f"{frozen.name} {progress}\n")

    [result] = run_backtests(
        record, request, root=job.tables / frozen.name, resume=True, on_progress=say
    )
    return result
