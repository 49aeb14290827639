"""Holds a run against a saved one: ratios only, since they survive a new machine."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from perf.bench.errors import BenchmarkError
from perf.bench.report import BenchmarkReport, Row

TOLERANCE = 0.10

# By suite and measurement.
Ratios = dict[tuple[str, str], float]


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
