"""Holds a run against a saved one: ratios only, since they survive a new machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from perf.bench.errors import BenchmarkError
from perf.bench.report import BenchmarkReport, Row

TOLERANCE = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Ratios of a saved report by suite and measurement."""

    path: Path
    ratios: dict[tuple[str, str], float]


def read_baseline(path: Path) -> Baseline:
    try:
        saved = msgspec.json.decode(path.read_bytes(), type=_SavedReport)
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error}") from error
    except msgspec.MsgspecError as error:
        raise _unusable(path, f"is not a benchmark report: {error}") from error
    return Baseline(path=path, ratios=_collect_ratios(saved.suites))


def _unusable(path: Path, reason: str) -> BenchmarkError:
    return BenchmarkError(
        f"{path} {reason}. Name a file made with --json or --save.", path=str(path)
    )


def find_regressions(report: BenchmarkReport, baseline: Baseline) -> list[str]:
    """Name rows whose ratio fell by more than the tolerance, or that vanished.

    Only suites of this run count. Nothing in common is an error, not a pass.
    """
    now = _collect_ratios(report.suites)
    then = {
        key: ratio for key, ratio in baseline.ratios.items() if key[0] in report.suites
    }
    if not then:
        raise BenchmarkError(
            f"{baseline.path} has no ratio of the suites {', '.join(report.suites)}, "
            "so nothing can be compared. Save one with these suites first.",
            path=str(baseline.path),
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


class _SavedRow(msgspec.Struct):
    name: str
    ratio: float | None


class _SavedReport(msgspec.Struct):
    """The fields read back from a report; all others are ignored."""

    suites: dict[str, list[_SavedRow]]


def _collect_ratios(
    suites: Mapping[str, Sequence[Row | _SavedRow]],
) -> dict[tuple[str, str], float]:
    return {
        (suite, row.name): row.ratio
        for suite, rows in suites.items()
        for row in rows
        if row.ratio is not None
    }
