"""Measure the served model on public event sets, and where the truth is known."""

import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from time import monotonic
from typing import Final

import h3.api.numpy_int as h3

from riskplatform.kernel.errors import InvalidInputError
from scoring.engine.frozen_sets import (
    EVENTS,
    FROZEN_SETS,
    FrozenSet,
    load_frozen_set,
)
from scoring.engine.grid import build_grid
from scoring.engine.report import BacktestReport
from scoring.engine.synthetic import OracleShare, generate_truth, share_of_oracle
from scoring.engine.uncertainty import Interval
from scoring.errors import DatasetUnavailableError
from scoring.evaluation.backtests.running import (
    DEFAULT_KINDS,
    FEWEST_ORIGINS,
    BacktestRequest,
    Record,
    run_backtests,
)
from scoring.evaluation.skill.targets import Finding, judge, reference_findings
from scoring.horizons import SERVED_HORIZONS_SEC, SERVED_KIND

QUICK_ORIGINS: Final = 12
KIB_PER_MIB: Final = 1_024
CENTRE: Final = (41.85, -87.68)
RESOLUTION: Final = 8
SMALLEST_SHARE: Final = 0.85


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
    [result] = run_backtests(
        Record(history=frozen.history, grid=frozen.grid, timezone=frozen.timezone),
        BacktestRequest(
            kinds=DEFAULT_KINDS, horizons_sec=(horizon_sec,), n_origins=n_origins
        ),
        root=job.tables / frozen.name,
        resume=True,
        # Straight to the terminal: this may be a process of its own.
        on_progress=lambda at: print(frozen.name, at, file=sys.stderr),  # noqa: T201
    )
    return HorizonSkill(
        horizon_sec=horizon_sec,
        report=result.report,
        findings=(
            *judge(frozen.name, result, frozen.grid),
            *reference_findings(frozen, result),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthPlan:
    """How many made-up records, and how large each is."""

    n_truths: int = 3
    rings: int = 8
    n_days: int = 1_500
    n_test_days: int = 300
    events_per_day: float = 15.0


FULL: Final = TruthPlan()
QUICK: Final = TruthPlan(n_truths=1, rings=2, n_days=300, n_test_days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthSkill:
    """What was reached on each made-up record."""

    plan: TruthPlan
    n_cells: int
    shares: tuple[OracleShare, ...]

    @property
    def finding(self) -> Finding:
        """Mean share over the records, with the lowest and the highest."""
        values = [each.share for each in self.shares]
        found = Interval(value=fmean(values), low=min(values), high=max(values))
        return Finding(
            figure="share of the oracle's gain on synthetic truth (lowest to highest)",
            target=f"≥ {SMALLEST_SHARE}",
            found=found,
            is_met=found.value >= SMALLEST_SHARE,
            note=f"{len(values)} records made from different seeds",
        )


def measure_truth(plan: TruthPlan, *, progress: Callable[[str], None]) -> TruthSkill:
    """Compare the served model with the intensity that the events were drawn from."""
    centre = h3.latlng_to_cell(*CENTRE, RESOLUTION)
    grid = build_grid(h3.grid_disk(centre, plan.rings))

    def shares() -> Iterator[OracleShare]:
        for seed in range(plan.n_truths):
            progress(f"synthetic truth [{seed + 1}/{plan.n_truths}]")
            truth = generate_truth(
                grid,
                n_days=plan.n_days,
                events_per_day=plan.events_per_day,
                seed=seed,
            )
            yield share_of_oracle(
                truth, grid, n_test_days=plan.n_test_days, kind=SERVED_KIND
            )

    return TruthSkill(plan=plan, n_cells=len(grid), shares=tuple(shares()))
