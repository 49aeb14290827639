"""What a report looks like to a machine."""

import json
from pathlib import Path

import pytest

from perf.bench.errors import BenchmarkError
from perf.bench.measurement import Direction
from perf.bench.report import prepare_file, to_json, write_report
from tests.perf.bench.bench_doubles import make_report, make_row

MACHINE_FIELDS = {
    "cpu": "Test CPU",
    "cores": 2,
    "memory_gib": 8.0,
    "load_1m": 0.5,
    "python": "3.11.7",
    "platform": "Linux 6",
    "taken_at": "2026-11-23T12:00:00+00:00",
}
COMPARISON_FIELDS = {
    "name": "compared",
    "unit": "ms",
    "direction": "lower",
    "before": 2.0,
    "after": 1.0,
    "ratio": 2.0,
    "target": 1.5,
    "met": True,
    "before_min": 1.9,
    "before_max": 2.1,
    "after_min": 0.9,
    "after_max": 1.1,
    "repeats": 3,
}
BUDGET_FIELDS = COMPARISON_FIELDS | {
    "name": "budget",
    "unit": "cells/s",
    "direction": "higher",
    "before": None,
    "before_min": None,
    "before_max": None,
    "ratio": None,
    "met": False,
}


def test_the_json_has_exactly_these_fields() -> None:
    compared = make_row(name="compared")
    budget = make_row(
        name="budget",
        unit="cells/s",
        direction=Direction.HIGHER,
        before=None,
        before_min=None,
        before_max=None,
        ratio=None,
        met=False,
    )
    assert json.loads(to_json(make_report(compared, budget))) == {
        "machine": MACHINE_FIELDS,
        "suites": {"tiny": [COMPARISON_FIELDS, BUDGET_FIELDS]},
    }


def test_missed_targets_are_named_with_their_suite() -> None:
    report = make_report(make_row(name="good"), make_row(name="bad", met=False))
    assert report.missed == ["tiny: bad"]


def test_a_report_replaces_the_file_and_leaves_nothing_beside_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "new" / "report.json"
    prepare_file(path)
    for name in ("old", "new"):
        write_report(make_report(make_row(name=name)), path)
    assert [file.name for file in path.parent.iterdir()] == ["report.json"]
    assert path.read_text() == to_json(make_report(make_row(name="new")))


def test_a_folder_is_refused_as_a_report(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="it is a folder"):
        prepare_file(tmp_path)


def test_a_file_is_refused_as_the_folder_of_a_report(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BenchmarkError, match="Name another file"):
        prepare_file(tmp_path / "file" / "report.json")


def test_a_report_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="No such file or directory"):
        write_report(make_report(), tmp_path / "missing" / "report.json")
