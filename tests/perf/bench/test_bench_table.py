"""What a report looks like to people."""

from dataclasses import replace

import pytest

from perf.bench.measurement import Direction
from perf.bench.report import BenchmarkReport
from perf.bench.table import render_report
from tests.perf.bench.bench_doubles import MACHINE, make_report, make_row


def render(report: BenchmarkReport) -> list[str]:
    descriptions = dict.fromkeys(report.suites, "Tiny things.")
    text = render_report(report, descriptions=descriptions, is_coloured=False)
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_machine_and_the_suite_come_first() -> None:
    lines = render(make_report(make_row()))
    assert lines[:2] == [
        (
            "Machine: Test CPU, 2 cores, 8.0 GiB, load 0.5, Python 3.11.7, Linux 6, "
            "2026-11-23T12:00:00+00:00"
        ),
        "tiny - Tiny things.",
    ]


def test_a_comparison_shows_medians_extremes_ratio_and_target() -> None:
    row = make_row(name="[20,000] rows", before=1234.5, before_max=98_765.4, ratio=12.3)
    assert render(make_report(row))[-1] == (
        "[20,000] rows ms 1,234 (1.9-98,765) 1 (0.9-1.1) 12.3x >= 1.5x yes 3"
    )


@pytest.mark.parametrize(
    ("direction", "sign"), [(Direction.LOWER, "<="), (Direction.HIGHER, ">=")]
)
def test_a_budget_shows_its_target_with_the_unit(
    direction: Direction, sign: str
) -> None:
    row = make_row(before=None, ratio=None, met=False, direction=direction)
    assert render(make_report(replace(row, target=1_500_000.0)))[-1] == (
        f"work ms - 1 (0.9-1.1) - {sign} 1,500,000 ms no 3"
    )


def test_every_suite_has_its_table() -> None:
    rows = [make_row()]
    lines = render(BenchmarkReport(machine=MACHINE, suites={"one": rows, "two": rows}))
    assert [line for line in lines if line.endswith("Tiny things.")] == [
        "one - Tiny things.",
        "two - Tiny things.",
    ]
