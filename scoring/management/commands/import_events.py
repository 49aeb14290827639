"""Read a file of events into a region."""

import gc
from argparse import ArgumentParser, Namespace
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from analytics.errors import RegionNotFoundError
from analytics.ingest.reading_options import words_of
from analytics.ingest.report import ImportReport
from analytics.ingest.saved import list_sources
from riskplatform.kernel.commands import ApplicationCommand, add_dry_run, add_json
from scoring.management.import_report import (
    ProgressLine,
    RefusalLimit,
    RejectionListing,
    as_json,
    as_text,
)
from scoring.models import Region
from scoring.services.imports.arguments import add_reading, add_saving
from scoring.services.imports.boundary_files import read_boundary_file
from scoring.services.imports.requests import request_of
from scoring.services.imports.running import import_into
from scoring.services.regions import ImportRequest

NO_ROW_TAKEN = 3
INTERRUPTED = 130  # what a shell calls a program that SIGINT ended


class Command(ApplicationCommand):
    help = (
        "Read a file of events (CSV, JSON, GeoJSON, Parquet and, with the extra geo, "
        "Shapefile, GeoPackage and KML; plain, gzip or zstd) into a region. Every "
        "refused row is listed with its reason. Safe to repeat and to interrupt: "
        "nothing comes twice, and an interrupted import goes on where it was. Ends "
        "with 0 when rows were taken or nothing was new, with 3 when every row was "
        "refused, with 1 when the file was not read to its end or more was refused "
        "than --max-refused, with 130 when it was interrupted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, nargs="?", help="The file, or - for standard input."
        )
        parser.add_argument("--region", help="Slug of the region.")
        parser.add_argument(
            "--boundary",
            type=Path,
            metavar="FILE",
            help="Areas that the region is, new or not: GeoJSON or, with the extra geo,"
            " a Shapefile, a GeoPackage or KML. It gets all cells that overlap them,"
            " and does not grow with its events any more.",
        )
        add_reading(parser)
        add_saving(parser)
        _add_running(parser)
        _add_creation(parser)

    def handle(self, **given: Any) -> None:
        options = Namespace(**given)
        if options.list_sources:
            self._list_sources()
            return
        progress = ProgressLine(self.stderr)
        try:
            with _few_collections():
                self._import(options, progress)
        except RegionNotFoundError as error:
            raise CommandError(
                f"{error.message}"
                " Add --create --resolution 8 --timezone ZONE to make it."
            ) from error
        except KeyboardInterrupt:
            raise CommandError(
                f"Interrupted after {progress.rows_done:,} rows, which are kept. The"
                " same command goes on from there.",
                returncode=INTERRUPTED,
            ) from None

    def _import(self, options: Namespace, progress: ProgressLine) -> None:
        if options.file is None or options.region is None:
            raise CommandError("Name the file, and the region with --region.")
        request = request_of(options.file, options)
        if options.boundary is not None:
            boundary = read_boundary_file(options.boundary)
            request = replace(request, boundary=boundary)
        with ExitStack() as stack:
            listing = RejectionListing(self.stderr, options.rejections, stack)
            region, report = import_into(
                options.region,
                options.file,
                new=_new_region(options, request) if options.create else None,
                request=request,
                on_progress=lambda known: progress(
                    known.rows_done,
                    rows_per_s=known.rows_per_s,
                    fraction=known.fraction,
                    left_s=known.left_s,
                ),
                on_rejection=listing.add,
            )
        if options.json:
            text = as_json(report, region=region.slug, source=request.source)
        else:
            text = as_text(report, region=region)
        self.stdout.write(text)
        _check(report, max_refused=options.max_refused)

    def _list_sources(self) -> None:
        for source in list_sources():
            settings = [source.column_map]
            settings += [f"--format {source.file_format}"] if source.file_format else []
            settings += [f"--times-in {source.times_in}"] if source.times_in else []
            settings += words_of(source.options)
            self.stdout.write(f"{source.name}: {' '.join(settings)}")


def _add_running(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--rejections", type=Path, help="CSV file to write every refused row to."
    )
    add_dry_run(parser)
    parser.add_argument(
        "--update",
        action="store_true",
        help="Correct events that are there by rows with other values; such rows are"
        " only counted else.",
    )
    parser.add_argument(
        "--max-refused",
        type=RefusalLimit.parse,
        metavar="N",
        help="Fail when more rows than that are refused: a number, or a share as 5%%.",
    )
    parser.add_argument(
        "--restart",
        action="store_true",
        help="Begin at the first row, though an interrupted import could go on.",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=1,
        help="Processes that check and store; more than 1 pays on idle cores.",
    )
    add_json(parser)


def _add_creation(parser: ArgumentParser) -> None:
    creation = parser.add_argument_group("creating the region")
    creation.add_argument(
        "--create", action="store_true", help="Create the region if it is new."
    )
    creation.add_argument("--name", help="Name of a new region.")
    creation.add_argument(
        "--resolution", type=int, default=8, help="H3 resolution of a new region."
    )
    creation.add_argument(
        "--timezone",
        help="IANA time zone of a new region; that of --times-in else, or UTC.",
    )
    creation.add_argument(
        "--severity-transform",
        choices=Region.SeverityTransform.values,
        default=Region.SeverityTransform.NONE.value,
        help="How much an event counts in a new region: none is 1 each, log is"
        " log(1 + severity), magnitude is for earthquakes.",
    )
    creation.add_argument(
        "--organisation",
        metavar="SLUG",
        help="Whose the events and a new region are; the installation's, and so its"
        " staff's, else.",
    )
    creation.add_argument(
        "--public", action="store_true", help="Everybody sees a new region's forecasts."
    )


@contextmanager
def _few_collections() -> Generator[None]:
    """Look for cycles seldom: rows are many objects, and hold none."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _check(report: ImportReport, *, max_refused: RefusalLimit | None) -> None:
    """Fail where the file was not read to its end, or too little of it was taken."""
    if report.broken_off is not None:
        raise CommandError(f"{report.broken_off} What came before was kept.")
    if report.is_all_refused:
        raise CommandError(
            f"No row was taken: all {report.rejected_count:,} were refused.",
            returncode=NO_ROW_TAKEN,
        )
    if max_refused is not None and not max_refused.allows(report):
        kept = "" if report.is_dry_run else " What was taken is kept."
        raise CommandError(
            f"{report.rejected_count:,} of {report.row_count:,} rows were refused,"
            f" which is more than --max-refused {max_refused} allows.{kept}"
        )


def _new_region(options: Namespace, request: ImportRequest) -> Region:
    return Region(
        slug=options.region,
        name=options.name or options.region,
        timezone=options.timezone or request.default_timezone or "UTC",
        resolution=options.resolution,
        severity_transform=options.severity_transform,
        owner=request.organisation,
        is_public=options.public,
    )
