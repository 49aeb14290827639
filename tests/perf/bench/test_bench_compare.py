"""Holding a run against a saved one."""

from pathlib import Path

import pytest

from perf.bench.compare import find_regressions, read_baseline
from perf.bench.errors import BenchmarkError
from perf.bench.report import BenchmarkReport, Row, write_report
from tests.perf.bench.bench_doubles import MACHINE, make_report, make_row


def compare(now: BenchmarkReport, then: BenchmarkReport, folder: Path) -> list[str]:
    path = folder / "then.json"
    write_report(then, path)
    return find_regressions(now, read_baseline(path))


@pytest.mark.parametrize(
    ("ratio", "found"),
    [
        (9.0, []),
        (10.0, []),
        (25.0, []),
        (8.99, ["tiny: work fell from a ratio of 10.00 to 8.99 (-10%)"]),
        (5.0, ["tiny: work fell from a ratio of 10.00 to 5.00 (-50%)"]),
    ],
)
def test_a_ratio_may_fall_by_a_tenth(
    tmp_path: Path, ratio: float, found: list[str]
) -> None:
    then = make_report(make_row(ratio=10.0))
    assert compare(make_report(make_row(ratio=ratio)), then, tmp_path) == found


def test_a_row_that_vanished_is_named(tmp_path: Path) -> None:
    then = make_report(make_row(name="kept"), make_row(name="gone"))
    assert compare(make_report(make_row(name="kept")), then, tmp_path) == [
        "tiny: gone had a ratio of 2.00 and is not measured any more"
    ]


def test_a_new_row_is_no_regression(tmp_path: Path) -> None:
    now = make_report(make_row(), make_row(name="new", ratio=0.1))
    assert compare(now, make_report(make_row()), tmp_path) == []


def test_budgets_are_not_compared_since_they_belong_to_a_machine(
    tmp_path: Path,
) -> None:
    def report(after: float) -> BenchmarkReport:
        budget = make_row(name="budget", before=None, ratio=None, after=after)
        return make_report(make_row(), budget)

    assert compare(report(9_000.0), report(1.0), tmp_path) == []


def test_suites_that_did_not_run_are_left_out(tmp_path: Path) -> None:
    rows: list[Row] = [make_row()]
    then = BenchmarkReport(machine=MACHINE, suites={"tiny": rows, "other": rows})
    assert compare(make_report(make_row()), then, tmp_path) == []


def test_nothing_in_common_is_not_a_pass(tmp_path: Path) -> None:
    then = make_report(make_row(), suite="other")
    with pytest.raises(BenchmarkError, match="no ratio of the suites tiny"):
        compare(make_report(make_row()), then, tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"[]", "Expected `object`, got `array`"),
        (b"{}", "missing required field `suites`"),
        (b'{"suites": {"tiny": [{"name": "work"}]}}', "missing required field `ratio`"),
        (b'{"suites": {"tiny": [{"name": 1, "ratio": 2}]}}', "Expected `str`"),
        (b"\xff\xfe", "malformed"),
    ],
)
def test_a_file_that_is_no_report_is_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "then.json"
    path.write_bytes(content)
    with pytest.raises(BenchmarkError) as refused:
        read_baseline(path)
    assert refused.value.message.startswith(f"{path} is not a benchmark report: ")
    assert reason in refused.value.message


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="cannot be read"):
        read_baseline(tmp_path / "missing.json")
