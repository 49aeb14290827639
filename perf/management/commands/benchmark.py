"""Runs benchmark suites, shows and keeps their figures, fails on a regression."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import (
    CommandError,
    CommandParser,
    OutputWrapper,
)
from django.db import OperationalError, ProgrammingError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from perf.bench.compare import TOLERANCE, Baseline, find_regressions, read_baseline
from perf.bench.machine import describe_machine
from perf.bench.registry import ALL, Suite, discover_suites, registry
from perf.bench.report import BenchmarkReport, prepare_file, to_json, write_report
from perf.bench.run_limits import RunLimits
from perf.bench.runner import Runner
from perf.bench.table import render_report, render_suites
from riskplatform.kernel.commands import ApplicationCommand

STDOUT = "-"
FILE_NAME = "%Y-%m-%dT%H%M%S.%fZ.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkOptions:
    """The options of its own that the command has."""

    suite: str
    list_suites: bool
    json_target: str | None
    save: bool
    compare_path: str | None
    repeats: int | None
    quick: bool


class Command(ApplicationCommand):
    help = (
        "Measure before and after in one run, alternated, with answers compared. "
        "Fails on a wrong answer and, with --compare, on a regression."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--suite", default=ALL, help="NAME[,NAME] or all (the default)."
        )
        parser.add_argument(
            "--list", action="store_true", dest="list_suites", help="Name the suites."
        )
        _add_report_arguments(parser)
        parser.add_argument(
            "--repeats", metavar="N", type=int, help="Rounds of each measurement."
        )
        parser.add_argument(
            "--quick",
            action="store_true",
            help="At most 3 rounds and 5 s each: enough to see it work, not to judge.",
        )

    def handle(self, **options: Any) -> None:
        names = [field.name for field in fields(BenchmarkOptions)]
        wanted = BenchmarkOptions(**{name: options[name] for name in names})
        # JSON on stdout has it for itself.
        self.out = self.stderr if wanted.json_target == STDOUT else self.stdout
        self.is_coloured = self.out.isatty() and not options["no_color"]
        try:
            discover_suites()
            if wanted.list_suites:
                self._list_suites()
            else:
                self._benchmark(wanted)
        except (ProgrammingError, OperationalError) as error:
            raise CommandError(
                f"The database refused: {error}. Where its tables are older than the"
                " code, run manage.py prepare first."
            ) from error

    def _list_suites(self) -> None:
        suites = registry.choose(ALL)
        _write(self.out, render_suites(suites, is_coloured=self.is_coloured))

    def _benchmark(self, wanted: BenchmarkOptions) -> None:
        suites = registry.choose(wanted.suite)
        limits = RunLimits(repeats=wanted.repeats, is_quick=wanted.quick)
        # A long run must not end at a file that could have been refused before it.
        baseline = read_baseline(Path(path)) if (path := wanted.compare_path) else None
        paths = _list_paths(wanted)
        for target in paths:
            prepare_file(target)
        # Only tables that were never made: others belong to somebody's data.
        if not MigrationRecorder(connection).has_table():
            call_command("prepare", "--no-static", stdout=self.stderr)

        report = self._measure(suites, limits=limits)

        if wanted.json_target == STDOUT:
            _write(self.stdout, to_json(report))
        for target in paths:
            write_report(report, target)
            _write(self.stderr, f"Written to {target}")
        if baseline is not None:
            self._refuse_regressions(report, baseline)

    def _measure(
        self, suites: Sequence[Suite], *, limits: RunLimits
    ) -> BenchmarkReport:
        machine = describe_machine()
        runner = Runner(limits=limits, say=lambda line: _write(self.stderr, line))
        runs = {suite.name: runner.run(suite) for suite in suites}
        report = BenchmarkReport(
            machine=machine, suites={name: run.rows for name, run in runs.items()}
        )
        descriptions = {suite.name: suite.description for suite in suites}
        table = render_report(
            report, descriptions=descriptions, is_coloured=self.is_coloured
        )
        _write(self.out, table)
        _write(self.out, _summarise_targets(report))
        failures = [failure for run in runs.values() for failure in run.failures]
        if failures:
            raise CommandError(
                "\n".join([f"{len(failures)} failed, nothing is written:", *failures])
            )
        return report

    def _refuse_regressions(self, report: BenchmarkReport, baseline: Baseline) -> None:
        regressions = find_regressions(report, baseline)
        if regressions:
            title = f"{len(regressions)} worse than {baseline.path}:"
            raise CommandError("\n".join([title, *regressions]))
        _write(self.out, f"No ratio is over {TOLERANCE:.0%} worse than {baseline.path}")


def _add_report_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--json",
        dest="json_target",
        metavar="FILE",
        help="Write the report as JSON; - is stdout.",
    )
    parser.add_argument(
        "--save",
        action="store_true",
        help="Keep the report as benchmarks/<UTC time>.json in the data folder.",
    )
    parser.add_argument(
        "--compare",
        dest="compare_path",
        metavar="FILE",
        help=f"Fail when a ratio is over {TOLERANCE:.0%}% worse than in this report.",
    )


def _list_paths(wanted: BenchmarkOptions) -> list[Path]:
    paths: list[Path] = []
    if wanted.json_target not in {None, STDOUT}:
        paths.append(Path(str(wanted.json_target)))
    if wanted.save:
        folder = Path(settings.VAR_DIR) / "benchmarks"
        paths.append(folder / timezone.now().strftime(FILE_NAME))
    return paths


def _summarise_targets(report: BenchmarkReport) -> str:
    row_count = sum(len(rows) for rows in report.suites.values())
    met = f"{row_count - len(report.missed)} of {row_count} targets met."
    return "\n".join([met, *(f"Missed: {row}" for row in report.missed)])


def _write(out: OutputWrapper, text: str) -> None:
    """Write as it is: stderr carries progress as well as problems."""
    out.write(text, style_func=str)
