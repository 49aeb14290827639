"""Fills the edge cache with what is asked for most."""

import os
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

import orjson
from django.core.management.base import CommandError

from perf.cache.edge.demand import Demand, most_asked
from perf.cache.edge.warming import Warming, WarmingReport, Wish, distinct
from perf.shared_store import StoreUnavailableError, store
from perf.switches import Switch, is_on
from perf.warmup import Subject, list_subjects
from riskplatform.kernel.commands import ApplicationCommand

TOP = 100
PROGRESS_EVERY_S = 5.0


class Command(ApplicationCommand):
    help = (
        "Compute the answers that are asked for most, before anybody waits for them. "
        "Safe to repeat, to interrupt and to run while serving."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for subject in list_subjects():
            parser.add_argument(f"--{subject.option}", help=subject.help)
        parser.add_argument(
            "--top", type=int, default=TOP, help=f"most answers to warm ({TOP})"
        )
        parser.add_argument(
            "--jobs",
            type=int,
            default=os.cpu_count() or 1,
            help="how many are computed at once (one a core)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="list what would be warmed"
        )
        parser.add_argument(
            "--json", action="store_true", help="write the summary as JSON"
        )

    def handle(self, *, top: int, jobs: int, **options: Any) -> None:
        if not is_on(Switch.EDGE):
            raise CommandError("The edge cache is switched off (PERFORMANCE_OFF).")
        if min(top, jobs) < 1:
            raise CommandError("--top and --jobs are at least 1.")
        try:
            wishes = self._wishes(options)[:top]
        except StoreUnavailableError as error:
            raise CommandError(
                "Redis, which holds the cache, does not answer. manage.py doctor says"
                " what to do."
            ) from error
        if options["dry_run"]:
            self._list(wishes)
        else:
            self._warm(wishes, jobs=jobs, as_json=options["json"])

    def _wishes(self, options: dict[str, Any]) -> list[Wish]:
        """Choose what was measured, then what the apps think will be asked."""
        subjects = list_subjects()
        chosen = [subject for subject in subjects if options[subject.option]]
        measured = most_asked(store, limit=2_000)
        if chosen:
            wanted = {each.name(options[each.option]) for each in chosen}
            measured = [demand for demand in measured if wanted <= demand.names]
        return list(
            distinct([*_asked(measured), *_expected(chosen, subjects, options)])
        )

    def _list(self, wishes: list[Wish]) -> None:
        for question, caller in wishes:
            query = f"?{question.query}" if question.query else ""
            body = question.body.decode(errors="replace")[:100]
            who = f"organisation {caller.access.organisation_id}"
            self.stdout.write(
                f"{question.method} {question.path}{query} {body}"
                f" ({'anybody' if caller.access.organisation_id is None else who})"
            )
        self.stdout.write(f"{len(wishes)} answers would be warmed.")

    def _warm(self, wishes: list[Wish], *, jobs: int, as_json: bool) -> None:
        started_s = said_s = time.monotonic()

        def say(report: WarmingReport) -> None:
            nonlocal said_s
            now_s = time.monotonic()
            if now_s - said_s >= PROGRESS_EVERY_S:
                said_s, done = now_s, report.outcomes.total()
                left_s = (now_s - started_s) * (len(wishes) - done) / done
                self.stderr.write(
                    f"{done}/{len(wishes)} answers, {left_s:.0f} s left", style_func=str
                )

        report = Warming(store).warm(wishes, jobs=jobs, on_progress=say)
        self._report(report, time.monotonic() - started_s, as_json=as_json)

    def _report(self, report: WarmingReport, seconds: float, *, as_json: bool) -> None:
        found = report.outcomes
        if as_json:
            figures = {name: found[name] for name in ("computed", "present", "refused")}
            summary = {**figures, "bytes": report.nbytes, "seconds": round(seconds, 3)}
            self.stdout.write(orjson.dumps(summary).decode())
        else:
            self.stdout.write(
                f"{found['computed']} answers computed, {found['present']} were there,"
                f" {found['refused']} the views refuse now; {report.nbytes:,} bytes in"
                f" {seconds:.1f} s."
            )


def _asked(measured: list[Demand]) -> Iterator[Wish]:
    for demand in measured:
        if not demand.caller.access.permissions:
            yield demand.question, demand.caller


def _expected(
    chosen: list[Subject], subjects: list[Subject], options: dict[str, Any]
) -> Iterator[Wish]:
    for subject in chosen or subjects:
        yield from subject.wishes(options[subject.option] if chosen else None)
