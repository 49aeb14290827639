"""The rows of a run as data: built from readings, written as JSON, compared.

A run is held against a saved one by ratios only, since they survive a new machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec

from perf.bench.errors import BenchmarkError
from perf.bench.machine import Machine
from perf.bench.measurement import AnyMeasurement, Direction

# A ratio may fall by so much before it is a regression.
TOLERANCE = 0.10

# By suite and measurement.
Ratios = dict[tuple[str, str], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement's outcome; `before` and `after` are medians.

    With a `ratio` (above 1: `after` is better) the target is a ratio, otherwise
    it is a figure in `unit`.
    """

    name: str
    unit: str
    direction: Direction
    before: float | None
    after: float
    ratio: float | None
    target: float
    met: bool
    before_min: float | None
    before_max: float | None
    after_min: float
    after_max: float
    repeats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkReport:
    machine: Machine
    suites: dict[str, list[Row]]

    @property
    def missed(self) -> list[str]:
        return [
            f"{suite}: {row.name}"
            for suite, rows in self.suites.items()
            for row in rows
            if not row.met
        ]


def make_rows(
    measurement: AnyMeasurement, rounds: Sequence[Sequence[Sequence[float]]]
) -> list[Row]:
    """Summarise rounds; in each, every side has its figures, one a row."""
    sides = list(zip(*rounds, strict=True))
    return [
        _make_row(row, [[figures[index] for figures in side] for side in sides])
        for index, row in enumerate(measurement.by_figure())
    ]


def _make_row(measurement: AnyMeasurement, sides: list[list[float]]) -> Row:
    after, before = sides[-1], sides[0] if len(sides) > 1 else []
    meter, target = measurement.meter, measurement.target
    middle, ratio = median(after), None
    is_high = meter.direction is Direction.HIGHER
    is_met = middle >= target if is_high else middle <= target
    if before:
        ratio = _ratio(median(before), middle, meter.direction)
        is_met = ratio >= target
    return Row(
        name=measurement.name,
        unit=meter.unit,
        direction=meter.direction,
        before=median(before) if before else None,
        after=middle,
        ratio=ratio,
        target=target,
        met=is_met,
        before_min=min(before, default=None),
        before_max=max(before, default=None),
        after_min=min(after),
        after_max=max(after),
        repeats=len(after),
    )


def _ratio(before: float, after: float, direction: Direction) -> float:
    if (least := min(before, after)) <= 0:
        raise BenchmarkError(
            f"a median of {least} has no ratio. "
            "Do more work in one call, or state a budget instead."
        )
    return before / after if direction is Direction.LOWER else after / before


def to_json(report: BenchmarkReport) -> str:
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def prepare_file(path: Path) -> None:
    """Make the folder of a report to come, or refuse its name."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, str(error)) from error
    if path.is_dir():
        raise _unwritable(path, "it is a folder")


def write_report(report: BenchmarkReport, path: Path) -> None:
    """Write whole or not at all: a reader never meets half a file."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(to_json(report), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise _unwritable(path, str(error)) from error


def _unwritable(path: Path, reason: str) -> BenchmarkError:
    return BenchmarkError(
        f"The report cannot be written to {path}: {reason}. Name another file.",
        path=str(path),
    )


class _SavedRow(msgspec.Struct):
    name: str
    ratio: float | None


class _SavedReport(msgspec.Struct):
    """The fields read back from a report; all others are ignored."""

    suites: dict[str, list[_SavedRow]]


def read_baseline(path: Path) -> Ratios:
    try:
        saved = msgspec.json.decode(path.read_bytes(), type=_SavedReport)
    except (OSError, msgspec.MsgspecError) as error:
        is_missing = isinstance(error, OSError)
        reason = "cannot be read" if is_missing else "is not a benchmark report"
        raise BenchmarkError(
            f"{path} {reason}: {error}. Name a file made with --json or --save.",
            path=str(path),
        ) from error
    return _ratios(saved.suites)


def find_regressions(report: BenchmarkReport, baseline: Ratios) -> list[str]:
    """Name rows whose ratio fell by more than the tolerance, or that vanished.

    Only suites of this run count. Nothing in common is an error, not a pass.
    """
    now = _ratios(report.suites)
    then = {key: ratio for key, ratio in baseline.items() if key[0] in report.suites}
    if not then:
        raise BenchmarkError(
            f"The saved report has no ratio of the suites {', '.join(report.suites)}, "
            "so nothing can be compared. Save one with these suites first."
        )
    return [
        f"{suite}: {name} {_fell(ratio, now.get((suite, name)))}"
        for (suite, name), ratio in then.items()
        if now.get((suite, name), 0.0) < ratio * (1 - TOLERANCE)
    ]


def _fell(then: float, now: float | None) -> str:
    if now is None:
        return f"had a ratio of {then:.2f} and is not measured any more"
    return f"fell from a ratio of {then:.2f} to {now:.2f} ({now / then - 1:.0%})"


def _ratios(suites: Mapping[str, Sequence[Row | _SavedRow]]) -> Ratios:
    return {
        (suite, row.name): row.ratio
        for suite, rows in suites.items()
        for row in rows
        if row.ratio is not None
    }
