"""Read a file of events into a region."""

import gc
import os
from argparse import ArgumentParser, Namespace
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from analytics.errors import RegionNotFoundError
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.files import FileFormat, format_of, read_format
from analytics.ingest.json_rows import POINT_COLUMNS
from analytics.ingest.saved import find_source, get_source, list_sources, save_source
from analytics.ingest.unpacking import STANDARD_INPUT
from riskplatform.api.keys.access import FULL_ACCESS
from riskplatform.api.keys.services import get_organisation
from riskplatform.kernel.commands import ApplicationCommand, add_dry_run, add_json
from scoring.management.import_report import (
    ProgressLine,
    RejectionListing,
    as_json,
    as_text,
)
from scoring.models import Region
from scoring.selectors.regions import get_region
from scoring.services.regions import ImportRequest, define_region, import_events

INTERRUPTED = 130  # what a shell calls a program that SIGINT ended


class Command(ApplicationCommand):
    help = (
        "Read a file of events (CSV, NDJSON, GeoJSON points or Parquet; plain, gzip or "
        "zstd) into a region. Every refused row is listed with its reason. Safe to "
        "repeat and to interrupt: nothing comes twice, and an interrupted import goes "
        "on where it was. Ends with 0 when the file was read to its end, with 1 when "
        "it was not, with 130 when it was interrupted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, nargs="?", help="The file, or - for standard input."
        )
        parser.add_argument("--region", help="Slug of the region.")
        _add_reading(parser)
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
        except KeyboardInterrupt:
            raise CommandError(
                f"Interrupted after {progress.rows_done:,} rows, which are kept. The"
                " same command goes on from there.",
                returncode=INTERRUPTED,
            ) from None

    def _import(self, options: Namespace, progress: ProgressLine) -> None:
        if options.file is None or options.region is None:
            raise CommandError("Name the file, and the region with --region.")
        request = _request(options.file, options)
        with transaction.atomic():
            region = _region(options.region, options)
            # A rehearsal leaves no region behind.
            transaction.set_rollback(options.dry_run)
        with ExitStack() as stack:
            listing = RejectionListing(self.stderr, options.rejections, stack)
            report = import_events(
                options.file,
                region=region,
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
            text = as_text(report, region=region.slug)
        self.stdout.write(text)
        if report.broken_off is not None:
            raise CommandError(f"{report.broken_off} What came before was kept.")

    def _list_sources(self) -> None:
        for source in list_sources():
            settings = [source.column_map]
            settings += [f"--format {source.file_format}"] if source.file_format else []
            settings += [f"--times-in {source.times_in}"] if source.times_in else []
            self.stdout.write(f"{source.name}: {' '.join(settings)}")


def _add_reading(parser: ArgumentParser) -> None:
    reading = parser.add_argument_group("reading the file")
    reading.add_argument(
        "--map",
        help="Fields and their columns: occurred_at=time,lat=Y,lon=X,severity=mag. "
        "NDJSON takes a.b for nested fields; GeoJSON has @lat, @lon and @id beside "
        "the properties, and needs no map for the place.",
    )
    reading.add_argument(
        "--format", help="csv, ndjson, geojson or parquet; by the file's name else."
    )
    reading.add_argument("--source", help="A saved source, or a name; the file's else.")
    reading.add_argument(
        "--save-source",
        metavar="NAME",
        help="Save map, format and zone under this name, which is the source then.",
    )
    reading.add_argument(
        "--list-sources", action="store_true", help="List the saved sources, and end."
    )
    reading.add_argument(
        "--times-in", metavar="ZONE", help="Zone of times without an offset."
    )


def _add_running(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--rejections", type=Path, help="CSV file to write every refused row to."
    )
    add_dry_run(parser)
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
        "--timezone", default="UTC", help="IANA time zone of a new region."
    )
    creation.add_argument(
        "--organisation",
        metavar="SLUG",
        help="Whose a new region is; the installation's, and so its staff's, else.",
    )
    creation.add_argument(
        "--public", action="store_true", help="Everybody sees a new region's forecasts."
    )


def _request(file: Path, options: Namespace) -> ImportRequest:
    """Put together how to read the file: as saved, and as said here instead."""
    limit = 4 * (os.cpu_count() or 1)
    if not 1 <= options.workers <= limit:
        raise CommandError(f"--workers is between 1 and {limit} on this machine.")
    name = options.save_source or options.source
    saved = find_source(options.source) if options.source else None
    if options.map is None and saved is None:
        if options.source is None:
            raise CommandError("Say with --map which column means what, or --source.")
        saved = get_source(options.source)
    chosen = options.format or (saved.file_format if saved else "")
    file_format = read_format(chosen) if chosen else format_of(file)
    text = options.map or (saved.column_map if saved else "")
    defaults = POINT_COLUMNS if file_format is FileFormat.GEOJSON else {}
    column_map = ColumnMap.parse(text, defaults=defaults)
    times_in = options.times_in or (saved.times_in if saved else "") or None
    if options.save_source and not options.dry_run:
        save_source(
            options.save_source,
            column_map=column_map,
            file_format=FileFormat(chosen) if chosen else None,
            times_in=times_in,
        )
    if name is None and file == STANDARD_INPUT:
        raise CommandError("Name the source of the standard input with --source.")
    return ImportRequest(
        column_map=column_map,
        source=name or file.name.split(".")[0],
        file_format=file_format,
        default_timezone=times_in,
        dry_run=options.dry_run,
        restart=options.restart,
        workers=options.workers,
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


def _region(slug: str, options: Namespace) -> Region:
    try:
        return get_region(slug, access=FULL_ACCESS)
    except RegionNotFoundError as error:
        if not options.create:
            raise RegionNotFoundError(
                f"{error.message} "
                "Add --create --resolution 8 --timezone ZONE to make it."
            ) from error
    named = options.organisation
    definition = Region(
        slug=slug,
        name=options.name or slug,
        timezone=options.timezone,
        resolution=options.resolution,
        owner=None if named is None else get_organisation(named),
        is_public=options.public,
    )
    return define_region(definition, cells=())
