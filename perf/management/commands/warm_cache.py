"""Fills the edge cache with the responses that are requested most."""

import os
import time
from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import CommandError

from perf.cache.edge.demand import most_requested
from perf.cache.edge.warming import WarmingReport, WarmRequest, warm
from perf.shared_store import StoreUnavailableError, store
from perf.switches import Switch, is_on
from perf.warmup import list_subjects
from riskplatform.kernel.commands import ApplicationCommand

TOP = 100
PROGRESS_EVERY_S = 5.0


class Command(ApplicationCommand):
    help = (
        "Compute the responses that are requested most, before anybody waits for them. "
        "Safe to repeat, to interrupt and to run while serving."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for subject in list_subjects():
            parser.add_argument(f"--{subject.option}", help=subject.help)
        parser.add_argument(
            "--top", type=int, default=TOP, help=f"most responses to warm ({TOP})"
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
            requests = self._requests(options)[:top]
        except StoreUnavailableError as error:
            raise CommandError(
                "Redis, which holds the cache, does not answer. manage.py doctor says"
                " what to do."
            ) from error
        if options["dry_run"]:
            self._list(requests)
        else:
            self._warm(requests, jobs=jobs, as_json=options["json"])

    def _requests(self, options: dict[str, Any]) -> list[WarmRequest]:
        """Choose what was measured, then what the apps expect; each once."""
        subjects = list_subjects()
        chosen = [subject for subject in subjects if options[subject.option]]
        wanted = {subject.name(options[subject.option]) for subject in chosen}
        requests = [
            (parts, principal)
            for parts, principal, names in most_requested(store, limit=2_000)
            # Those of people depend on who they are now.
            if wanted <= names and not principal.access.permissions
        ]
        for subject in chosen or subjects:
            requests += subject.requests(options[subject.option] if chosen else None)
        return list(
            {
                (parts, principal.cache_key): (parts, principal)
                for parts, principal in requests
            }.values()
        )

    def _list(self, requests: list[WarmRequest]) -> None:
        for parts, principal in requests:
            query = f"?{parts.query}" if parts.query else ""
            body = parts.body.decode(errors="replace")[:100]
            organisation_id = principal.access.organisation_id
            who = "anybody"
            if organisation_id is not None:
                who = f"organisation {organisation_id}"
            self.stdout.write(f"{parts.method} {parts.path}{query} {body} ({who})")
        self.stdout.write(f"{len(requests)} responses would be warmed.")

    def _warm(self, requests: list[WarmRequest], *, jobs: int, as_json: bool) -> None:
        started_s = said_s = time.monotonic()

        def say(report: WarmingReport) -> None:
            nonlocal said_s
            now_s = time.monotonic()
            if now_s - said_s >= PROGRESS_EVERY_S:
                said_s, done = now_s, report.outcomes.total()
                left_s = (now_s - started_s) * (len(requests) - done) / done
                self.stderr.write(
                    f"{done}/{len(requests)} responses, {left_s:.0f} s left",
                    style_func=str,
                )

        report = warm(requests, jobs=jobs, on_progress=say)
        self._report(report, time.monotonic() - started_s, as_json=as_json)

    def _report(self, report: WarmingReport, seconds: float, *, as_json: bool) -> None:
        found = report.outcomes
        if as_json:
            figures = {name: found[name] for name in ("computed", "present", "refused")}
            summary = {**figures, "bytes": report.nbytes, "seconds": round(seconds, 3)}
            self.stdout.write(orjson.dumps(summary).decode())
        else:
            self.stdout.write(
                f"{found['computed']} responses computed, {found['present']} were"
                f" there, {found['refused']} the views refuse now;"
                f" {report.nbytes:,} bytes in {seconds:.1f} s."
            )
