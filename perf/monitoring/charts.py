"""Lines over time that the page of operators draws, computed from two readings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Protocol

from django.utils.module_loading import autodiscover_modules

from perf.slo.indicators import Growth, Labels, Series
from perf.slo.objectives import MODULE

QUANTILES: Final = (0.5, 0.95, 0.99)

Line = tuple[str, float]


@dataclass(frozen=True, slots=True)
class Interval:
    """What counters grew by in some seconds, and what gauges are at its end."""

    seconds: float
    growth: Growth
    levels: Growth


class Lines(Protocol):
    def of(self, interval: Interval) -> Iterator[Line]:
        """Give a number for each line; none where nothing is known."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Events a second, by a label; without one all of them."""

    series: Series
    by: str = ""

    def of(self, interval: Interval) -> Iterator[Line]:
        labels = (self.by,) if self.by else ()
        for key, grown in self.series.summed(interval.growth, labels).items():
            yield key[0] if key else "all", grown / interval.seconds


@dataclass(frozen=True, slots=True)
class Level:
    """A gauge as it is, by a label; without one summed up."""

    series: Series
    by: str = ""

    def of(self, interval: Interval) -> Iterator[Line]:
        labels = (self.by,) if self.by else ()
        for key, level in self.series.summed(interval.levels, labels).items():
            yield key[0] if key else "all", level


@dataclass(frozen=True, slots=True)
class Share:
    """How many of all events are of a kind, 0 to 1."""

    name: str
    part: Series
    whole: Series

    def of(self, interval: Interval) -> Iterator[Line]:
        whole = sum(self.whole.summed(interval.growth, ()).values())
        if whole > 0:
            part = sum(self.part.summed(interval.growth, ()).values())
            yield self.name, part / whole


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Quantiles of a histogram in seconds, linear within a bucket as Prometheus has."""

    histogram: str
    labels: Labels = field(default_factory=dict)

    def of(self, interval: Interval) -> Iterator[Line]:
        buckets = Series(f"{self.histogram}_bucket", self.labels)
        sums = buckets.summed(interval.growth, ("le",))
        cumulated = sorted((float(key[0]), n) for key, n in sums.items())
        if cumulated and cumulated[-1][1] > 0:
            for share in QUANTILES:
                yield f"p{100 * share:g}", _quantile(cumulated, share)


def _quantile(cumulated: list[tuple[float, float]], share: float) -> float:
    rank = share * cumulated[-1][1]
    for (low, before), (high, upto) in pairwise([(0.0, 0.0), *cumulated]):
        if upto >= rank:
            if high == float("inf"):
                return low
            return low + (high - low) * (rank - before) / max(upto - before, 1e-12)
    return cumulated[-1][0]


@dataclass(frozen=True, slots=True)
class Chart:
    """One plot; `unit` is s, /s, share, bytes or none."""

    title: str
    unit: str
    lines: Lines

    def points(self, interval: Interval) -> dict[str, float]:
        return dict(self.lines.of(interval))


_charts: dict[str, Chart] = {}


def register_charts(*charts: Chart) -> None:
    for chart in charts:
        if _charts.setdefault(chart.title, chart) != chart:
            raise ValueError(f"There are two charts {chart.title!r}.")


def all_charts() -> Mapping[str, Chart]:
    autodiscover_modules(MODULE)
    return _charts
