"""Say of each objective whether it is met, and how much of its budget is left."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from perf.slo.burn_rates import is_window
from perf.slo.judging import State, Verdict, describe, judge, judge_run
from perf.slo.objectives import Objective, all_objectives
from perf.slo.sources import Prometheus, read_run
from riskplatform.kernel.commands import ApplicationCommand, add_json


class Command(ApplicationCommand):
    help = (
        "Say of each objective whether it is met and how much of its budget is left. "
        "Fails if one is broken, or if nothing was measured at all."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument(
            "--prometheus", metavar="URL", help="Ask the Prometheus at this address."
        )
        source.add_argument(
            "--from-run",
            type=Path,
            metavar="FILE",
            help="Judge a load test by what /metrics said before and after it.",
        )
        parser.add_argument(
            "--window",
            default="",
            metavar="TIME",
            help="With --prometheus: judge by the last 1h or 7d, instead of 30d.",
        )
        parser.add_argument(
            "--only",
            action="append",
            metavar="NAME",
            help="Only this objective; may be given several times.",
        )
        add_json(parser)

    def handle(
        self,
        *,
        prometheus: str | None,
        from_run: Path | None,
        window: str,
        only: list[str] | None,
        **options: Any,
    ) -> None:
        if window and (prometheus is None or not is_window(window)):
            raise CommandError(
                "--window is a number with m, h or d, and goes with --prometheus."
            )
        objectives = chosen(only)
        if from_run is not None:
            verdicts = judge_run(objectives, read_run(from_run))
        else:
            verdicts = ask(Prometheus(prometheus or ""), objectives, window)
        if options["json"]:
            self.stdout.write(as_json(verdicts))
        else:
            self._show(verdicts)
        conclude(verdicts)

    def _show(self, verdicts: Iterable[Verdict]) -> None:
        styles = {
            State.MET: self.style.SUCCESS,
            State.BROKEN: self.style.ERROR,
            State.NO_DATA: self.style.WARNING,
        }
        for verdict in verdicts:
            state = styles[verdict.state](f"{verdict.state:<7}")
            self.stdout.write(f"{state} {describe(verdict)}")


def chosen(names: Iterable[str] | None) -> tuple[Objective, ...]:
    objectives = all_objectives()
    wanted = set(names or ())
    if unknown := wanted - {objective.name for objective in objectives}:
        known = ", ".join(objective.name for objective in objectives)
        raise CommandError(
            f"There is no objective {', '.join(sorted(unknown))}. Known: {known}."
        )
    return tuple(each for each in objectives if not wanted or each.name in wanted)


def ask(
    source: Prometheus, objectives: Iterable[Objective], window: str
) -> list[Verdict]:
    return [
        verdict
        for objective in objectives
        for verdict in judge(
            objective,
            source.query(objective.indicator.bad_ratio(window or objective.window)),
        )
    ]


def conclude(verdicts: list[Verdict]) -> None:
    """Fail if an objective is broken, or nothing is known of any."""
    broken = {each.objective.name for each in verdicts if each.state is State.BROKEN}
    if broken:
        raise CommandError(f"Broken: {', '.join(sorted(broken))}.")
    if all(each.state is State.NO_DATA for each in verdicts):
        raise CommandError(
            "Nothing was measured. Does Prometheus read the platform's /metrics, and "
            "has anything been asked of the platform?"
        )


def as_json(verdicts: list[Verdict]) -> str:
    rows = [
        {
            "objective": each.objective.name,
            "promise": each.objective.promise,
            "owner": each.objective.owner,
            "labels": dict(each.labels),
            "bad_ratio": each.bad_ratio,
            "budget": each.objective.budget,
            "budget_left": each.budget_left,
            "state": each.state,
        }
        for each in verdicts
    ]
    is_met = not any(each.state is State.BROKEN for each in verdicts)
    return json.dumps({"is_met": is_met, "verdicts": rows}, indent=2)
