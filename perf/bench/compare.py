"""Holds a run against a saved one: ratios only, since they survive a new machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from perf.bench.errors import InvalidBaselineError
from perf.bench.report import Report

TOLERANCE = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Ratios of a saved report by suite and measurement."""

    path: Path
    ratios: dict[tuple[str, str], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    suite: str
    name: str
    ratio_then: float
    ratio_now: float | None

    def __str__(self) -> str:
        if self.ratio_now is None:
            return (
                f"{self.suite}: {self.name} had a ratio of {self.ratio_then:.2f} "
                "and is not measured any more"
            )
        change = self.ratio_now / self.ratio_then - 1
        return (
            f"{self.suite}: {self.name} fell from a ratio of {self.ratio_then:.2f} "
            f"to {self.ratio_now:.2f} ({change:.0%})"
        )


def read_baseline(path: Path) -> Baseline:
    try:
        saved = msgspec.json.decode(path.read_bytes(), type=_SavedReport)
    except OSError as error:
        raise InvalidBaselineError(
            f"{path} cannot be read: {error}. Name a file made with --json or --save.",
            path=str(path),
        ) from error
    except msgspec.MsgspecError as error:
        raise InvalidBaselineError(
            f"{path} is not a benchmark report: {error}. "
            "Name a file made with --json or --save.",
            path=str(path),
        ) from error
    return Baseline(path=path, ratios=_collect_ratios(saved.suites))


def find_regressions(report: Report, baseline: Baseline) -> list[Regression]:
    """List rows whose ratio fell by more than the tolerance, or that vanished.

    Only suites of this run count. Nothing in common is an error, not a pass.
    """
    now = _collect_ratios(report.suites)
    then = {
        key: ratio for key, ratio in baseline.ratios.items() if key[0] in report.suites
    }
    if not then:
        raise InvalidBaselineError(
            f"{baseline.path} has no ratio of the suites {', '.join(report.suites)}, "
            "so nothing can be compared. Save one with these suites first.",
            path=str(baseline.path),
        )
    return [
        Regression(suite=key[0], name=key[1], ratio_then=ratio, ratio_now=now.get(key))
        for key, ratio in then.items()
        if now.get(key, 0.0) < ratio * (1 - TOLERANCE)
    ]


class _HasRatio(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def ratio(self) -> float | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _SavedRow:
    name: str
    ratio: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _SavedReport:
    """The fields read back from a report; all others are ignored."""

    suites: dict[str, list[_SavedRow]]


def _collect_ratios(
    suites: Mapping[str, Sequence[_HasRatio]],
) -> dict[tuple[str, str], float]:
    return {
        (suite, row.name): row.ratio
        for suite, rows in suites.items()
        for row in rows
        if row.ratio is not None
    }
