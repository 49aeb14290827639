"""`manage.py benchmark`, end to end on a tiny suite."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from perf.bench.measurement import AnyMeasurement, reported
from perf.bench.registry import Suite, registry
from perf.management.commands.benchmark import Command
from tests.perf.bench.bench_doubles import ManualClock, make_comparison

pytestmark = pytest.mark.django_db
CHECKOUT = Path(__file__).resolve().parents[3]


class TinySuite:
    """A suite whose figures are its answers, so that a run can be foretold."""

    def __init__(self) -> None:
        self.after = 2.0
        self.is_right = True

    def build(self) -> Iterator[AnyMeasurement]:
        """Tiny things."""
        yield make_comparison(
            ManualClock(),
            before=lambda: 8.0,
            after=lambda: self.after,
            check=lambda _before, _after: self.is_right,
            meter=reported("MiB", float),
            target=3.0,
            repeats=4,
        )


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> TinySuite:
    # The heap of a test run is large, and its figures are made up.
    monkeypatch.setattr("perf.bench.runner.gc.collect", lambda: 0)
    tiny = TinySuite()
    suite = Suite(name="tiny", build=tiny.build)
    monkeypatch.setitem(registry.suites, "tiny", suite)
    return tiny


def benchmark(*arguments: str) -> None:
    call_command("benchmark", "--suite", "tiny", *arguments)


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.usefixtures("tiny")
def test_the_table_and_the_targets_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    benchmark()
    shown, progress = capsys.readouterr()
    assert progress == "tiny: work (4 rounds or 30 s)\n"
    assert "tiny - Tiny things." in shown
    assert shown.endswith("1 of 1 targets met.\n")


def test_a_missed_target_is_named_and_no_failure(
    tiny: TinySuite, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.after = 4.0
    benchmark()
    assert capsys.readouterr().out.endswith("0 of 1 targets met.\nMissed: tiny: work\n")


@pytest.mark.usefixtures("tiny")
def test_json_on_stdout_has_it_for_itself(capsys: pytest.CaptureFixture[str]) -> None:
    benchmark("--json", "-", "--quick")
    report = json.loads(capsys.readouterr().out)
    (row,) = report["suites"]["tiny"]
    assert (row["before"], row["after"], row["ratio"], row["repeats"]) == (8, 2, 4, 3)


@pytest.mark.usefixtures("tiny")
def test_a_report_is_written_and_kept(tmp_path: Path, settings: Settings) -> None:
    settings.VAR_DIR = tmp_path / "var"
    benchmark("--json", str(tmp_path / "report.json"), "--save", "--repeats", "2")
    (kept,) = (tmp_path / "var" / "benchmarks").iterdir()
    assert read(kept) == read(tmp_path / "report.json")
    assert read(kept)["suites"]["tiny"][0]["repeats"] == 2


def test_a_wrong_answer_fails_and_writes_nothing(
    tiny: TinySuite, tmp_path: Path
) -> None:
    tiny.is_right = False
    path = tmp_path / "report.json"
    with pytest.raises(CommandError, match="tiny: work: the answer is wrong"):
        benchmark("--json", str(path))
    assert not path.exists()


def test_a_regression_fails_naming_the_row(tiny: TinySuite, tmp_path: Path) -> None:
    path = tmp_path / "then.json"
    benchmark("--json", str(path))
    benchmark("--compare", str(path))
    tiny.after = 2.5
    with pytest.raises(CommandError, match=r"work fell .* 4\.00 to 3\.20 \(-20%\)"):
        benchmark("--compare", str(path))


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--suite", "tidy"], "There is no suite named tidy."),
        (["--compare", "missing.json"], "missing.json cannot be read"),
        (["--json", "."], "it is a folder"),
        (["--repeats", "0"], "Ask for at least 1."),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_before_anything_runs(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError, match=sentence):
        benchmark(*arguments)
    assert capsys.readouterr() == ("", "")


def test_a_failure_ends_the_process_with_1(tiny: TinySuite) -> None:
    tiny.is_right = False
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(
            ["manage.py", "benchmark", "--suite", "tiny", "--skip-checks"]
        )
    assert ended.value.code == 1


@pytest.mark.usefixtures("tiny")
def test_the_suites_are_listed_without_running(
    capsys: pytest.CaptureFixture[str],
) -> None:
    benchmark("--list")
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert ["tiny", "Tiny things."] in [
        [part.strip() for part in line] for line in lines
    ]


@pytest.fixture
def fresh_database() -> Iterator[str]:
    """Give the URL of a database without any table."""
    server = os.environ["DATABASE_URL"]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE never_prepared")
        yield urlsplit(server)._replace(path="/never_prepared").geturl()
        connection.execute("DROP DATABASE never_prepared WITH (FORCE)")


def test_a_database_that_was_never_prepared_is_prepared_first(
    fresh_database: str,
) -> None:
    command = ["manage.py", "benchmark", "--suite", "rendering", "--quick"]
    first, second = (
        subprocess.run(
            [sys.executable, *command],
            cwd=CHECKOUT,
            env=os.environ | {"DATABASE_URL": fresh_database},
            capture_output=True,
            text=True,
            check=True,
        )
        for _ in range(2)
    )
    assert "Applying scoring.0001" in first.stderr
    assert "Applying" not in first.stdout + second.stderr
    with psycopg.connect(fresh_database) as connection:
        assert connection.execute("SELECT count(*) FROM scoring_region").fetchone()
