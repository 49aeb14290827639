"""Runs benchmark suites, shows and keeps their figures, fails on a regression."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser, OutputWrapper
from django.db import OperationalError, ProgrammingError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from perf.bench.machine import describe_machine
from perf.bench.registry import ALL, Suite, discover_suites, registry
from perf.bench.report import (
    TOLERANCE,
    BenchmarkReport,
    find_regressions,
    prepare_file,
    read_baseline,
    to_json,
    write_report,
)
from perf.bench.runner import Runner
from perf.bench.table import render_report, render_suites
from riskplatform.kernel.commands import ApplicationCommand

STDOUT = "-"
FILE_NAME = "%Y-%m-%dT%H%M%S.%fZ.json"


class Command(ApplicationCommand):
    help = (
        "Measure before and after in one run, alternated, with answers compared. "
        "Fails on a wrong answer and, with --compare, on a regression."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--suite", default=ALL, help="NAME[,NAME] or all (the default).")
        add("--list", action="store_true", dest="lists", help="Name the suites.")
        add("--json", metavar="FILE", help="Write the report as JSON; - is stdout.")
        add(
            "--save",
            action="store_true",
            help="Keep the report as benchmarks/<UTC time>.json in the data folder.",
        )
        add(
            "--compare",
            metavar="FILE",
            help=f"Fail when a ratio is over {TOLERANCE:.0%}% worse than in this"
            " report.",
        )
        add("--repeats", metavar="N", type=int, help="Rounds of each measurement.")
        add(
            "--quick",
            action="store_true",
            help="At most 3 rounds and 5 s each: enough to see it work, not to judge.",
        )

    def handle(self, **options: Any) -> None:
        # JSON on stdout has it for itself.
        self.out = self.stderr if options["json"] == STDOUT else self.stdout
        self.is_coloured = self.out.isatty() and not options["no_color"]
        try:
            discover_suites()
            if options["lists"]:
                suites = registry.choose(ALL)
                _write(self.out, render_suites(suites, is_coloured=self.is_coloured))
            else:
                self._benchmark(options)
        except (ProgrammingError, OperationalError) as error:
            raise CommandError(
                f"The database refused: {error}. Where its tables are older than the"
                " code, run manage.py prepare first."
            ) from error

    def _benchmark(self, options: dict[str, Any]) -> None:
        # A long run must not end at what could have been refused before it.
        suites = registry.choose(options["suite"])
        runner = Runner(
            say=lambda line: _write(self.stderr, line),
            repeats=options["repeats"],
            is_quick=options["quick"],
        )
        compared = options["compare"]
        baseline = read_baseline(Path(compared)) if compared else None
        paths = _list_paths(options)
        for path in paths:
            prepare_file(path)
        # Only tables that were never made: others belong to somebody's data.
        if not MigrationRecorder(connection).has_table():
            call_command("prepare", "--no-static", stdout=self.stderr)

        report = self._measure(suites, runner)
        if options["json"] == STDOUT:
            _write(self.stdout, to_json(report))
        for path in paths:
            write_report(report, path)
            _write(self.stderr, f"Written to {path}")
        if baseline is not None:
            if regressions := find_regressions(report, baseline):
                title = f"{len(regressions)} worse than {compared}:"
                raise CommandError("\n".join([title, *regressions]))
            _write(self.out, f"No ratio is over {TOLERANCE:.0%} worse than {compared}")

    def _measure(self, suites: list[Suite], runner: Runner) -> BenchmarkReport:
        machine = describe_machine()
        runs = {suite.name: runner.run(suite) for suite in suites}
        report = BenchmarkReport(
            machine=machine, suites={name: run.rows for name, run in runs.items()}
        )
        descriptions = {suite.name: suite.description for suite in suites}
        table = render_report(
            report, descriptions=descriptions, is_coloured=self.is_coloured
        )
        row_count = sum(len(run.rows) for run in runs.values())
        met = f"{row_count - len(report.missed)} of {row_count} targets met."
        missed = (f"Missed: {row}" for row in report.missed)
        _write(self.out, "\n".join([table, met, *missed]))
        failures = [failure for run in runs.values() for failure in run.failures]
        if failures:
            title = f"{len(failures)} failed, nothing is written:"
            raise CommandError("\n".join([title, *failures]))
        return report


def _list_paths(options: dict[str, Any]) -> list[Path]:
    paths = [] if options["json"] in {None, STDOUT} else [Path(options["json"])]
    if options["save"]:
        folder = Path(settings.VAR_DIR) / "benchmarks"
        paths.append(folder / timezone.now().strftime(FILE_NAME))
    return paths


def _write(out: OutputWrapper, text: str) -> None:
    """Write as it is: stderr carries progress as well as problems."""
    out.write(text, style_func=str)
