"""What an objective is about: a share of bad events or of bad time, written in PromQL.

Each indicator gives the bad share as a ratio, for a window and for each combination of
the labels in `by`. Where nothing happened there is no ratio, not a zero.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# How finely time is looked at, where an indicator is a condition.
STEP: Final = "1m"
SHORTEST: Final = "5m"

Labels = Mapping[str, tuple[str, ...]]
# One time series: its name and its labels.
Sample = tuple[str, Mapping[str, str]]
# How much each series grew.
Growth = Mapping[tuple[str, frozenset[tuple[str, str]]], float]
# Bad events and all of them, or seconds, by the values of labels.
Counted = dict[tuple[str, ...], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Series:
    """The series of a metric whose labels have one of the values given."""

    metric: str
    labels: Labels = field(default_factory=dict)

    def __str__(self) -> str:
        matchers = ",".join(
            f'{name}="{values[0]}"' if len(values) == 1 else _one_of(name, values)
            for name, values in self.labels.items()
        )
        return f"{self.metric}{{{matchers}}}" if matchers else self.metric

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(labels.get(name) in values for name, values in self.labels.items())

    def summed(
        self, growth: Growth, by: tuple[str, ...]
    ) -> dict[tuple[str, ...], float]:
        """Sum the growth of the series, by the values of some labels."""
        sums: dict[tuple[str, ...], float] = {}
        for (name, pairs), value in growth.items():
            labels = dict(pairs)
            if name == self.metric and self.matches(labels):
                key = tuple(labels.get(label, "") for label in by)
                sums[key] = sums.get(key, 0.0) + value
        return sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Bad events of all events."""

    bad: Series
    total: Series
    by: tuple[str, ...] = ()

    def bad_ratio(self, window: str) -> str:
        bad = _rate(self.bad, window, self.by)
        total = _rate(self.total, window, self.by)
        return f"({bad} or 0 * {total}) / ({total} > 0)"

    def counted(self, growth: Growth, **_: Any) -> Counted:
        """Give bad and all events of each combination of labels with any."""
        bad = self.bad.summed(growth, self.by)
        total = self.total.summed(growth, self.by)
        return {key: (bad.get(key, 0.0), n) for key, n in total.items() if n > 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Observations of a histogram above a time, which has to be one of its buckets."""

    histogram: str
    at_most_s: float
    labels: Labels = field(default_factory=dict)
    by: tuple[str, ...] = ()

    @property
    def good(self) -> Series:
        labels = {**self.labels, "le": (bucket(self.at_most_s),)}
        return Series(f"{self.histogram}_bucket", labels)

    @property
    def total(self) -> Series:
        return Series(f"{self.histogram}_count", self.labels)

    def bad_ratio(self, window: str) -> str:
        good = _rate(self.good, window, self.by)
        total = _rate(self.total, window, self.by)
        return f"1 - {good} / ({total} > 0)"

    def counted(self, growth: Growth, **_: Any) -> Counted:
        good = self.good.summed(growth, self.by)
        total = self.total.summed(growth, self.by)
        return {key: (n - good.get(key, 0.0), n) for key, n in total.items() if n > 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Time in which a gauge is on the wrong side of a limit."""

    gauge: str
    limit: float
    by: tuple[str, ...] = ()
    # What is worse: to be above the limit, or below.
    is_floor: bool = False

    @property
    def violated(self) -> str:
        return f"({self.gauge} {'<' if self.is_floor else '>'} bool {self.limit:g})"

    def bad_ratio(self, window: str) -> str:
        labels = ", ".join(self.by)
        return f"max by ({labels}) (avg_over_time({self.violated}[{window}:{STEP}]))"

    def counted(
        self,
        growth: Growth,
        *,
        levels: Growth | None = None,
        seconds: float = 0.0,
    ) -> Counted:
        """Give bad and all seconds; nothing where the levels are not known."""
        found = Series(self.gauge).summed(levels or {}, self.by)
        return {
            key: (seconds if self.is_violated(level) else 0.0, seconds)
            for key, level in found.items()
        }

    def is_violated(self, level: float) -> bool:
        return level < self.limit if self.is_floor else level > self.limit


Indicator = Ratio | Latency | Condition


def bucket(seconds: float) -> str:
    """Write the bound of a bucket as `prometheus_client` does."""
    return repr(float(seconds))


def growth(
    begun: Iterable[tuple[Sample, float]], ended: Iterable[tuple[Sample, float]]
) -> Growth:
    """Subtract what counters were from what they are; one that fell was reset."""
    before = {_key(sample): value for sample, value in begun}
    grown = {}
    for sample, value in ended:
        was = before.get(_key(sample), 0.0)
        grown[_key(sample)] = value - was if value >= was else value
    return grown


def _key(sample: Sample) -> tuple[str, frozenset[tuple[str, str]]]:
    name, labels = sample
    return name, frozenset(labels.items())


def _one_of(name: str, values: tuple[str, ...]) -> str:
    return f'{name}=~"{"|".join(values)}"'


def _rate(series: Series, window: str, by: tuple[str, ...]) -> str:
    grouped = f" by ({', '.join(by)}) " if by else ""
    return f"sum{grouped}(rate({series}[{window}]))"
