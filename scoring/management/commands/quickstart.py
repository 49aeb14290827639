"""From a file of events to a map, in one command."""

import json
import shlex
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.text import slugify

from analytics.ingest.report import ImportProgress
from riskplatform.kernel.commands import (
    ApplicationCommand,
    add_dry_run,
    add_json,
    add_yes,
    confirm,
)
from scoring.engine.models.registry import KINDS
from scoring.horizons import SERVED_KIND
from scoring.management.import_report import ProgressLine, as_text
from scoring.models import Region
from scoring.selectors.where_to_look import on_fitted
from scoring.services.imports.arguments import add_reading, parse_words
from scoring.services.imports.instructions import DEFAULT_RESOLUTION
from scoring.services.imports.proposals import first_rows, propose
from scoring.services.imports.requests import request_of
from scoring.services.imports.running import Imported, import_into
from scoring.services.registry.fitting import FittedRegion, fit_model


class Command(ApplicationCommand):
    help = (
        "Go from a file of events to a map: find out how the file is read, show it, "
        "import it into a region of its own, fit a model and publish its forecasts. "
        "What is given as an option is not proposed. Safe to repeat and to interrupt."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="The file of events.")
        parser.add_argument(
            "--region", help="Slug of the region; the file's name else."
        )
        parser.add_argument("--timezone", help="IANA time zone of a new region.")
        parser.add_argument(
            "--resolution", type=int, help="H3 resolution of a new region."
        )
        parser.add_argument(
            "--public", action="store_true", help="Everybody sees the forecasts."
        )
        parser.add_argument(
            "--model", choices=KINDS, default=SERVED_KIND, help="Model family to fit."
        )
        add_yes(parser)
        add_dry_run(parser)
        add_json(parser)
        add_reading(parser)

    def handle(self, *, file: Path, **options: Any) -> None:
        given = parse_words((), Namespace(**{**options, "dry_run": True}))
        slug = options["region"] or slugify(file.name.split(".")[0]) or "events"
        words, tried = propose(
            file, given, lambda known: self._import(file, slug, known, resolution=None)
        )
        chosen = parse_words(words, given)
        self._show(file, words, chosen, tried)
        if tried.report.is_all_refused:
            raise CommandError("Every row would be refused: say how the file is read.")
        if options["dry_run"]:
            return
        confirm(f"Import it into the region {slug!r} and fit a model?", options["yes"])
        chosen.dry_run = False
        done = self._import(
            file, slug, chosen, resolution=tried.report.proposed_resolution
        )
        fitted = fit_model(
            done.region, kind=options["model"], progress=self.stderr.write
        )
        self._report(done, fitted, is_json=options["json"])

    def _import(
        self, file: Path, slug: str, options: Namespace, *, resolution: int | None
    ) -> Imported:
        request = request_of(file, options)
        line = ProgressLine(self.stderr)

        def show(known: ImportProgress) -> None:
            line(
                known.rows_done,
                rows_per_s=known.rows_per_s,
                fraction=known.fraction,
                left_s=known.left_s,
            )

        new = Region(
            slug=slug,
            name=slug,
            timezone=options.timezone or request.default_timezone or "UTC",
            resolution=options.resolution or resolution or DEFAULT_RESOLUTION,
            is_public=options.public,
        )
        return import_into(slug, file, new=new, request=request, on_progress=show)

    def _show(
        self, file: Path, words: tuple[str, ...], chosen: Namespace, found: Imported
    ) -> None:
        """Say how the file is read, and what a dry run says."""
        columns, rows = first_rows(file, request_of(file, chosen))
        self.stderr.write(" | ".join(columns))
        for row in rows[:3]:
            self.stderr.write(" | ".join(row))
        self.stderr.write(f"Read with: {shlex.join(words) or 'the options given'}")
        self.stderr.write(as_text(found.report, region=found.region))

    def _report(self, done: Imported, fitted: FittedRegion, *, is_json: bool) -> None:
        if is_json:
            document = {
                "region": done.region.slug,
                "accepted": done.report.accepted,
                "rejected_count": done.report.rejected_count,
                "model_version": str(fitted.model_version),
                "forecasts": [str(each.pk) for each in fitted.forecasts],
                "fit_seconds": round(fitted.fit_seconds, 3),
            }
            self.stdout.write(json.dumps(document))
            return
        self.stdout.write(
            f"{done.report.accepted:,} events in {done.region.slug},"
            f" {len(fitted.forecasts)} forecasts of {len(fitted.grid):,} cells."
        )
        for line in on_fitted(fitted.model_version):
            self.stdout.write(line)
