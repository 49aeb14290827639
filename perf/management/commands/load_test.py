"""Put the platform under load, and judge it by its objectives."""

import json
import shutil
from argparse import ArgumentParser
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from perf.bench.load_tests.generator import (
    Requests,
    find_locust,
    put_under_load,
    warm_up,
)
from perf.bench.load_tests.platform import Addresses, running_platform
from perf.bench.load_tests.platform_metrics import MetricsReader
from perf.bench.load_tests.report import (
    TOLERANCE,
    LoadReport,
    find_drops,
    read_json,
    summary_of,
    write_json,
    write_page,
)
from perf.bench.load_tests.scenarios import SCENARIOS, Scenario
from perf.bench.load_tests.workload import find_workload
from perf.bench.machine import describe_machine, other_core
from perf.slo.judging import State, describe, judge_run
from perf.slo.objectives import all_objectives
from perf.slo.sources import read_run
from riskplatform.kernel.commands import ApplicationCommand, Pace, add_json

FILE_NAME = "%Y-%m-%dT%H%M%SZ"
METRICS = "http://127.0.0.1:8002/metrics"


class Command(ApplicationCommand):
    help = (
        "Put the platform under the load of many users, check its answers, and judge "
        "it by its objectives. Starts what is needed on free ports of this machine, "
        "with a city of its own that is taken away again. Writes JSON and a page with "
        "plots. Needs Locust: make setup-load."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "scenario",
            choices=sorted(SCENARIOS),
            help="; ".join(
                f"{each.name}: {each.purpose}" for each in SCENARIOS.values()
            ),
        )
        add = parser.add_argument
        add("--users", type=int, metavar="N", help="At most so many users.")
        add("--duration", type=float, metavar="SECONDS", help="In all.")
        add(
            "--host",
            metavar="URL",
            help="A platform that runs on these databases already, such as "
            "http://127.0.0.1:8000, without rate limits.",
        )
        add("--metrics", default=METRICS, metavar="URL", help="Its metrics.")
        add("--output", type=Path, metavar="FOLDER", help="Where to write the report.")
        add(
            "--compare",
            type=Path,
            metavar="FILE",
            help=f"Fail if it is over {TOLERANCE:.0%}% worse than in this report.",
        )
        add_json(parser)

    def handle(self, *, scenario: str, **options: Any) -> None:
        chosen = SCENARIOS[scenario].changed(
            users=options["users"], seconds=options["duration"]
        )
        # A long run must not end at what could have been refused before it.
        find_locust()
        before = None if options["compare"] is None else read_json(options["compare"])
        folder = options["output"] or (
            Path(settings.VAR_DIR) / "load-tests" / timezone.now().strftime(FILE_NAME)
        )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        call_command("prepare", "--no-static", stdout=self.stderr)
        report = self._run(chosen, folder, options)
        write_json(report, folder / f"{scenario}.json")
        write_page(report, folder / f"{scenario}.html")
        self._show(report, folder, is_json=options["json"])
        self._conclude(report, before)

    def _run(
        self, scenario: Scenario, folder: Path, options: dict[str, Any]
    ) -> LoadReport:
        machine = describe_machine()
        self._say(f"{scenario.name}: {scenario.purpose}, {scenario.seconds:.0f} s")
        with (
            TemporaryDirectory(prefix="riskplatform-load-") as own,
            find_workload()() as requests,
            _platform(Path(own), options) as addresses,
        ):
            try:
                return self._put_under_load(
                    scenario, Path(own), addresses, requests, machine
                )
            finally:
                for log in Path(own).glob("*.log"):
                    shutil.copy(log, folder)

    def _put_under_load(
        self,
        scenario: Scenario,
        own: Path,
        addresses: Addresses,
        requests: Requests,
        machine: Any,
    ) -> LoadReport:
        reader = MetricsReader(addresses.metrics)
        # A cache that is empty is not what a day is like.
        warm_up(addresses.web, requests["read"])
        reader.begin()
        figures = put_under_load(
            addresses.web,
            scenario,
            requests,
            own,
            while_running=partial(self._watch, reader, Pace(), scenario.seconds),
            core=other_core(),
        )
        reader.end()
        report = LoadReport(
            scenario=scenario.name,
            machine=machine,
            figures=figures,
            readings=reader.readings,
            metrics={"begun": reader.begun, "ended": reader.ended},
        )
        write_json(report, own / "run.json")
        verdicts = judge_run(all_objectives(), read_run(own / "run.json"))
        report.verdicts.extend(f"{each.state:<7} {describe(each)}" for each in verdicts)
        broken = (each for each in verdicts if each.state is State.BROKEN)
        report.broken.extend(sorted({each.objective.name for each in broken}))
        return report

    def _watch(self, reader: MetricsReader, pace: Pace, seconds: float) -> None:
        reader.read_if_due()
        if pace.is_due():
            last = reader.readings[-1]
            memory = sum(last.memory.values()) / 2**20
            self._say(f"  {last.at_s:.0f} of {seconds:.0f} s, {memory:.0f} MiB")

    def _show(self, report: LoadReport, folder: Path, *, is_json: bool) -> None:
        if is_json:
            shown = {**dict(summary_of(report)), "broken": report.broken}
            self.stdout.write(json.dumps(shown, indent=2))
        else:
            for name, value in summary_of(report):
                self.stdout.write(f"{name:<26}{value}")
            for line in report.verdicts:
                self.stdout.write(line)
        self._say(f"Written to {folder}")

    def _conclude(self, report: LoadReport, before: LoadReport | None) -> None:
        faults = [f"broken objective: {name}" for name in report.broken]
        if report.figures.all.failures:
            faults.append(f"{report.figures.all.failures} requests failed")
        if before is not None:
            faults += find_drops(report, before)
        if faults:
            raise CommandError("; ".join(faults))

    def _say(self, line: str) -> None:
        self.stderr.write(line, style_func=str)


@contextmanager
def _platform(folder: Path, options: dict[str, Any]) -> Generator[Addresses]:
    if options["host"]:
        yield Addresses(web=options["host"].rstrip("/"), metrics=options["metrics"])
        return
    with running_platform(folder) as addresses:
        yield addresses
