"""The report of a load test: JSON for `check_slo` and comparison, a page for people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from perf.bench.errors import BenchmarkError
from perf.bench.load_tests.generator import LoadFigures, Moment
from perf.bench.load_tests.platform_metrics import Reading
from perf.bench.machine import Machine
from riskplatform.kernel.svg import PALETTE, Chart, Point, linear_axis

# Throughput may be so much lower than in the run it is compared with, and p95 higher.
TOLERANCE: Final = 0.10
MIB: Final = 1 << 20
STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;"
    "padding:0 1rem;color:#222}table{border-collapse:collapse}td,th{padding:.2rem"
    " .8rem;text-align:right;border-bottom:1px solid #ddd}td:first-child,"
    "th:first-child{text-align:left}.bad{color:#b3261e}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """`metrics` is what /metrics said before and after, `broken` objectives."""

    scenario: str
    machine: Machine
    figures: LoadFigures
    readings: list[Reading]
    metrics: dict[str, str]
    verdicts: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def hit_ratio(self) -> float | None:
        if not self.readings:
            return None
        first, last = self.readings[0], self.readings[-1]
        if last.lookups == first.lookups:
            return None
        return (last.hits - first.hits) / (last.lookups - first.lookups)

    def memory_growth(self, *, after_s: float) -> float | None:
        """Give by which share the memory of all processes grew after some seconds."""
        sums = [sum(each.memory.values()) for each in self.readings]
        later = [
            memory
            for memory, each in zip(sums, self.readings, strict=True)
            if each.at_s >= after_s
        ]
        return later[-1] / later[0] - 1.0 if len(later) > 1 else None


def write_json(report: LoadReport, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(report)))


def read_json(file: Path) -> LoadReport:
    """Read a report.

    Raises
    ------
    BenchmarkError
        It is none, or cannot be read.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=LoadReport)
    except (OSError, msgspec.MsgspecError) as error:
        raise BenchmarkError(f"{file} is no report of a load test: {error}.") from error


def find_drops(report: LoadReport, before: LoadReport) -> list[str]:
    """Name what is more than `TOLERANCE` worse than in another run."""
    if report.scenario != before.scenario:
        raise BenchmarkError(
            f"A {report.scenario} is not comparable with a {before.scenario}."
        )
    new, old = report.figures, before.figures
    drops = []
    if new.requests_per_s < (1.0 - TOLERANCE) * old.requests_per_s:
        drops.append(
            f"throughput {old.requests_per_s:.0f} -> {new.requests_per_s:.0f}"
            " requests/s"
        )
    if new.all.p95_ms > (1.0 + TOLERANCE) * old.all.p95_ms + 1.0:
        drops.append(f"p95 {old.all.p95_ms:.0f} -> {new.all.p95_ms:.0f} ms")
    return drops


def summary_of(report: LoadReport) -> list[tuple[str, str]]:
    figures = report.figures
    hit_ratio, grown = report.hit_ratio, report.memory_growth(after_s=600)
    return [
        ("requests", f"{figures.all.requests:,}"),
        ("throughput", f"{figures.requests_per_s:,.0f} requests/s"),
        ("p50", f"{figures.all.p50_ms:.0f} ms"),
        ("p95", f"{figures.all.p95_ms:.0f} ms"),
        ("p99", f"{figures.all.p99_ms:.0f} ms"),
        ("failed", f"{figures.all.failures:,}"),
        ("refused with Retry-After", f"{figures.refused:,}"),
        ("from the cache", "no data" if hit_ratio is None else f"{hit_ratio:.1%}"),
        (
            "memory after ten minutes",
            "a shorter run" if grown is None else f"{grown:+.1%}",
        ),
    ]


def write_page(report: LoadReport, file: Path) -> None:
    """Write one page that needs nothing else."""
    parts = [
        f"<h1>Load test: {escape(report.scenario)}</h1>",
        f"<p>{escape(str(report.machine))}</p>",
        _table(("", ""), summary_of(report)),
        *_charts(report),
        "<h2>By request</h2>",
        _table(
            ("request", "count", "failed", "p50, ms", "p95, ms", "p99, ms"),
            [
                (
                    *(each.name, f"{each.requests:,}", f"{each.failures:,}"),
                    *(f"{each.p50_ms:.0f}", f"{each.p95_ms:.0f}", f"{each.p99_ms:.0f}"),
                )
                for each in report.figures.by_name
            ],
        ),
        "<h2>Objectives</h2>",
        _table(("",), [(line,) for line in report.verdicts]),
    ]
    if report.figures.reasons:
        rows = [(why, f"{n:,}") for why, n in report.figures.reasons.items()]
        parts += ["<h2>Failures</h2>", _table(("reason", "count"), rows)]
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>Load test: {escape(report.scenario)}</title>"
        f"<style>{STYLE}</style>{''.join(parts)}</html>\n"
    )
    file.write_text(page, encoding="utf-8")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    lines = (
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{titles}</tr>{''.join(lines)}</table>"


def _charts(report: LoadReport) -> Iterable[str]:
    yield from _charts_of_clients(report.figures.moments)
    yield from _charts_of_platform(report.readings)


def _charts_of_clients(moments: Sequence[Moment]) -> Iterable[str]:
    yield _chart(
        "Response time",
        "of the last seconds, as clients saw it",
        "ms",
        {
            "p50": [(each.at_s, each.p50_ms) for each in moments],
            "p95": [(each.at_s, each.p95_ms) for each in moments],
            "p99": [(each.at_s, each.p99_ms) for each in moments],
        },
    )
    yield _chart(
        "Throughput",
        "requests and failures a second, and users",
        "a second",
        {
            "requests": [(each.at_s, each.requests_per_s) for each in moments],
            "failures": [(each.at_s, each.failures_per_s) for each in moments],
            "users": [(each.at_s, float(each.users)) for each in moments],
        },
    )


def _charts_of_platform(readings: Sequence[Reading]) -> Iterable[str]:
    memory: dict[str, list[Point]] = {}
    for each in readings:
        for name, n_bytes in each.memory.items():
            memory.setdefault(name, []).append((each.at_s, n_bytes / MIB))
    note = "resident, by process, shared pages included"
    yield _chart("Memory", note, "MiB", memory)
    yield _chart(
        "Open files and connections",
        "of all processes, and to the databases",
        "",
        {
            "files": [(each.at_s, each.open_files) for each in readings],
            "connections": [(each.at_s, each.connections) for each in readings],
        },
    )
    ratios = [
        (b.at_s, 100 * (b.hits - a.hits) / (b.lookups - a.lookups))
        for a, b in pairwise(readings)
        if b.lookups > a.lookups
    ]
    yield _chart(
        "Answers from the cache",
        "of requests that a cached response may answer, between two readings",
        "%",
        {"hit ratio": ratios},
    )


def _chart(title: str, note: str, unit: str, lines: dict[str, list[Point]]) -> str:
    points = [point for line in lines.values() for point in line]
    if not points:
        return f"<p>{escape(title)}: no data</p>"
    chart = Chart(
        title,
        note=note,
        x=linear_axis("s", 0.0, max(x for x, _ in points)),
        y=linear_axis(unit, 0.0, max(y for _, y in points)),
    )
    for number, (name, line) in enumerate(lines.items()):
        chart.line(line, colour=PALETTE[number % len(PALETTE)], name=name)
    return chart.svg()
