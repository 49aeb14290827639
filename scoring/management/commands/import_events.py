"""Read a file of events into a region."""

import csv
import json
from argparse import ArgumentParser
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from analytics.ingest.column_map import ColumnMap
from analytics.ingest.rejections import Rejection
from analytics.ingest.report import ImportProgress, ImportReport
from riskplatform.kernel.errors import ApplicationError
from scoring.errors import RegionNotFoundError
from scoring.models import Region
from scoring.selectors.regions import get_region
from scoring.services.event_import import ImportRequest, import_events
from scoring.services.regions import RegionDefinition, define_region

PROGRESS_EVERY_S = 5.0
SHOWN_REJECTIONS = 20


class Command(BaseCommand):
    help = (
        "Read a CSV file of events, plain or gzip, into a region. Every refused row is "
        "listed with its reason. Safe to repeat and to interrupt: nothing comes twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV file, plain or gzip.")
        parser.add_argument("--region", required=True, help="Slug of the region.")
        parser.add_argument(
            "--map",
            required=True,
            help="Fields and their columns: occurred_at=time,lat=Y,lon=X,severity=mag.",
        )
        parser.add_argument(
            "--source", help="Name of the source; the file's by default."
        )
        parser.add_argument(
            "--times-in", metavar="ZONE", help="Zone of times without an offset."
        )
        parser.add_argument(
            "--rejections", type=Path, help="CSV file to write every refused row to."
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Check every row, store nothing."
        )
        parser.add_argument(
            "--json", action="store_true", help="Print the report as JSON."
        )
        creation = parser.add_argument_group("creating the region")
        creation.add_argument(
            "--create", action="store_true", help="Create the region if it is new."
        )
        creation.add_argument("--name", help="Name of a new region.")
        creation.add_argument(
            "--resolution", type=int, default=8, help="H3 resolution of a new region."
        )
        creation.add_argument(
            "--timezone", default="UTC", help="IANA time zone of a new region."
        )

    def handle(self, *, file: Path, dry_run: bool, **options: Any) -> None:
        try:
            with transaction.atomic():
                region = _region(options)
                # A rehearsal leaves no region behind.
                transaction.set_rollback(dry_run)
            report = self._import(file, region, dry_run=dry_run, options=options)
        except ApplicationError as error:
            raise CommandError(error.message) from error
        self._print(report, region, as_json=options["json"])
        if report.broken_off is not None:
            raise CommandError(f"{report.broken_off} What came before was kept.")

    def _import(
        self, file: Path, region: Region, *, dry_run: bool, options: dict[str, Any]
    ) -> ImportReport:
        request = ImportRequest(
            column_map=ColumnMap.parse(options["map"]),
            source=options["source"] or file.name.split(".")[0],
            default_timezone=options["times_in"],
            dry_run=dry_run,
        )
        with ExitStack() as stack:
            listing = RejectionListing(self.stderr, options["rejections"], stack)
            return import_events(
                file,
                region=region,
                request=request,
                on_progress=ProgressLine(self.stderr),
                on_rejection=listing.add,
            )

    def _print(self, report: ImportReport, region: Region, *, as_json: bool) -> None:
        if as_json:
            summary = {**asdict(report), "region": region.slug}
            self.stdout.write(json.dumps(summary, default=str))
            return
        verb = "would be stored" if report.is_dry_run else "stored"
        self.stdout.write(
            f"{report.file}: {report.accepted} events {verb} in {region.slug!r}, "
            f"{report.duplicates} were there already, {report.rejected_count} rows "
            f"refused ({report.seconds:.1f} s)."
        )
        if report.accepted and not report.is_dry_run:
            self.stdout.write(
                f"Next: manage.py refresh_forecasts --region {region.slug}"
            )


class ProgressLine:
    """Says at most every few seconds how far the import is."""

    def __init__(self, out: Any) -> None:
        self._out = out
        self._next_s = monotonic() + PROGRESS_EVERY_S

    def __call__(self, progress: ImportProgress) -> None:
        if monotonic() < self._next_s:
            return
        self._next_s = monotonic() + PROGRESS_EVERY_S
        self._out.write(
            f"{progress.rows} rows ({progress.fraction:.0%}), "
            f"{progress.rows_per_s:.0f} rows/s, {progress.left_s:.0f} s left"
        )


class RejectionListing:
    """Lists refused rows: the first on the terminal, all of them in a file."""

    def __init__(self, out: Any, path: Path | None, stack: ExitStack) -> None:
        self._out = out
        self._count = 0
        self._path = path
        self._writer = None
        if path is not None:
            file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            self._writer = csv.writer(file)
            self._writer.writerow(["row", "column", "code", "reason", "value"])
        else:
            stack.callback(self._say_what_is_not_shown)

    def add(self, rejection: Rejection) -> None:
        self._count += 1
        if self._count <= SHOWN_REJECTIONS:
            self._out.write(str(rejection))
        if self._writer is not None:
            self._writer.writerow(
                [
                    rejection.row,
                    rejection.column,
                    rejection.code.value,
                    rejection.reason,
                    rejection.value,
                ]
            )

    def _say_what_is_not_shown(self) -> None:
        if self._count > SHOWN_REJECTIONS:
            hidden = self._count - SHOWN_REJECTIONS
            self._out.write(f"… and {hidden} more; list all with --rejections FILE.")


def _region(options: dict[str, Any]) -> Region:
    slug: str = options["region"]
    try:
        return get_region(slug)
    except RegionNotFoundError as error:
        if not options["create"]:
            raise RegionNotFoundError(
                f"{error.message} "
                "Add --create --resolution 8 --timezone ZONE to make it."
            ) from error
    definition = RegionDefinition(
        slug=slug,
        name=options["name"] or slug,
        timezone=options["timezone"],
        resolution=options["resolution"],
    )
    return define_region(definition, cells=())
