"""Fills the edge cache with the responses that are requested most."""

import os
import time
from argparse import ArgumentParser
from collections import Counter
from typing import Any

import orjson
from django.core.management.base import CommandError
from django.utils.module_loading import autodiscover_modules

from perf.cache.edge.warming import WarmRequest, most_requested, subjects, warm
from perf.shared_store import StoreUnavailableError, store
from perf.switches import Switch, is_on
from riskplatform.kernel.commands import ApplicationCommand, Pace

TOP = 100


class Command(ApplicationCommand):
    help = (
        "Compute the responses that are requested most, before anybody waits for them. "
        "Safe to repeat, to interrupt and to run while serving."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        autodiscover_modules("warmup")
        for option, subject in sorted(subjects.items()):
            parser.add_argument(f"--{option}", help=subject.help)
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
        known = sorted(subjects.items())
        chosen = [(options[option], it) for option, it in known if options[option]]
        wanted = {subject.name(text) for text, subject in chosen}
        requests = [
            request
            for request, names in most_requested(store)
            # Those of people depend on who they are now.
            if wanted <= names and not request[1].access.permissions
        ]
        for text, subject in chosen or [(None, subject) for _, subject in known]:
            requests += subject.requests(text)
        different = {(parts, who.cache_key): (parts, who) for parts, who in requests}
        return list(different.values())

    def _list(self, requests: list[WarmRequest]) -> None:
        for parts, principal in requests:
            query = f"?{parts.query}" if parts.query else ""
            body = parts.body.decode(errors="replace")[:100]
            organisation_id = principal.access.organisation_id
            who = f"organisation {organisation_id}" if organisation_id else "anybody"
            self.stdout.write(f"{parts.method} {parts.path}{query} {body} ({who})")
        self.stdout.write(f"{len(requests)} responses would be warmed.")

    def _warm(self, requests: list[WarmRequest], *, jobs: int, as_json: bool) -> None:
        started_s, pace = time.monotonic(), Pace()
        found, nbytes = Counter[str](), 0
        for outcome, size in warm(requests, jobs=jobs):
            found[outcome] += 1
            nbytes += size
            if pace.is_due():
                done = found.total()
                taken_s = time.monotonic() - started_s
                left_s = taken_s * (len(requests) - done) / done
                line = f"{done}/{len(requests)} responses, {left_s:.0f} s left"
                self.stderr.write(line, style_func=str)
        seconds = time.monotonic() - started_s
        if as_json:
            figures = {name: found[name] for name in ("computed", "present", "refused")}
            summary = {**figures, "bytes": nbytes, "seconds": round(seconds, 3)}
            self.stdout.write(orjson.dumps(summary).decode())
        else:
            self.stdout.write(
                f"{found['computed']} responses computed, {found['present']} were"
                f" there, {found['refused']} the views refuse now;"
                f" {nbytes:,} bytes in {seconds:.1f} s."
            )
