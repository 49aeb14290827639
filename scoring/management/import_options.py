"""The options of an import: what is typed, over what is saved, over a preset."""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from analytics.grid import Bounds
from analytics.ingest.column_map import ColumnMap, suggest_map
from analytics.ingest.features import POINT_COLUMNS
from analytics.ingest.files import FileFormat, format_of, names_in, read_format
from analytics.ingest.presets import PRESETS, get_preset
from analytics.ingest.reading_options import POINTS, ReadingOptions
from analytics.ingest.saved import find_source, get_source, save_source
from analytics.ingest.unpacking import STANDARD_INPUT
from riskplatform.api.keys.services import get_organisation
from riskplatform.kernel.commands import read_moment
from scoring.services.regions import ImportRequest

SHOWN_COLUMNS = 60
WITHOUT_PLACES = frozenset({FileFormat.CSV})
# Options of the command that are options of the reading under the same name.
OF_READING = (
    *("delimiter", "columns", "skip_lines", "comment", "decimal", "thousands"),
    *("nulls", "time_format", "point", "layer", "allow_null_island"),
)


def add_reading(parser: ArgumentParser) -> None:
    reading = parser.add_argument_group("reading the file")
    reading.add_argument(
        "--map",
        help="Fields and their columns: occurred_at=time,lat=Y,lon=X,severity=mag."
        " DATE+TIME are two columns for one field; a.b is nested; GeoJSON and other"
        " geographic files have @lat, @lon and @id beside the properties, and need no"
        " map for the place. Without it the columns and a map are suggested.",
    )
    reading.add_argument(
        "--preset",
        metavar="NAME",
        help=f"Layout of a publisher, which is the source then: {', '.join(PRESETS)}.",
    )
    reading.add_argument(
        "--format",
        help=f"{', '.join(FileFormat)}; by the file's name else.",
    )
    reading.add_argument(
        "--source",
        help="A saved source, or a name; ids are unique within it. Needed where the map"
        " has an external_id; the file's name else.",
    )
    reading.add_argument(
        "--save-source",
        metavar="NAME",
        help="Save map, format, zone and the options of this group under this name,"
        " which is the source then.",
    )
    reading.add_argument(
        "--list-sources", action="store_true", help="List the saved sources, and end."
    )
    _add_values(parser)
    _add_places(parser)
    _add_dialect(parser)


def _add_values(parser: ArgumentParser) -> None:
    values = parser.add_argument_group("times, numbers and blanks")
    values.add_argument(
        "--times-in",
        metavar="ZONE",
        help="Zone of times without an offset; the region's else.",
    )
    values.add_argument(
        "--time-format",
        metavar="FORMAT",
        help="iso, epoch_s, epoch_ms, excel or a format of strptime such as"
        " '%%m/%%d/%%Y %%I:%%M %%p'; alternatives with | between.",
    )
    values.add_argument("--decimal", metavar="SIGN", help="Decimal sign: . or ,")
    values.add_argument(
        "--thousands", metavar="SIGN", help="What separates thousands, if anything."
    )
    values.add_argument(
        "--null",
        dest="nulls",
        type=_items,
        metavar="A,B",
        help="Texts and numbers that mean unknown in any column, such as -999. NA, NULL"
        " and the like always do in times, numbers and ids.",
    )
    values.add_argument(
        "--allow-null-island",
        action="store_true",
        default=None,
        help="Take rows at latitude 0, longitude 0.",
    )
    values.add_argument(
        "--since", type=read_moment, metavar="DATE", help="Leave out what is older."
    )
    values.add_argument(
        "--within",
        type=_box,
        metavar="W,S,E,N",
        help="Leave out what lies outside west, south, east, north in degrees.",
    )


def _add_places(parser: ArgumentParser) -> None:
    values = parser.add_argument_group("geographic files")
    values.add_argument(
        "--point",
        choices=POINTS,
        help="centroid takes lines and areas by their middle; only points else.",
    )
    values.add_argument(
        "--layer", metavar="NAME", help="Layer of a geographic file that has several."
    )


def _add_dialect(parser: ArgumentParser) -> None:
    dialect = parser.add_argument_group("CSV")
    dialect.add_argument(
        "--delimiter", type=_character, help="What separates fields; found else."
    )
    dialect.add_argument(
        "--columns",
        type=_items,
        metavar="A,B,C",
        help="Names of the columns of a file without a header.",
    )
    dialect.add_argument(
        "--skip-lines", type=int, metavar="N", help="Lines before the header."
    )
    dialect.add_argument(
        "--comment", metavar="TEXT", help="What lines begin with that are no rows."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file is read, before anything is typed."""

    column_map: str = ""
    file_format: FileFormat | None = None
    times_in: str | None = None
    options: Mapping[str, Any]
    may_lack: bool = False


def request_of(file: Path, options: Namespace) -> ImportRequest:
    """Put together how to read the file, and save it where that was asked for."""
    limit = 4 * (os.cpu_count() or 1)
    if not 1 <= options.workers <= limit:
        raise CommandError(f"--workers is between 1 and {limit} on this machine.")
    layout = _layout(options)
    file_format = read_format(options.format) if options.format else layout.file_format
    given = {name: getattr(options, name) for name in OF_READING}
    said = {name: value for name, value in given.items() if value is not None}
    kept = ReadingOptions.of({**layout.options, **said}).saved()
    of_this_run = {"since": options.since, "within": options.within}
    reading = ReadingOptions.of({**kept, **of_this_run, "is_lenient": True})
    text = options.map or layout.column_map
    if not text:
        raise _without_map(file, file_format or format_of(file), reading)
    chosen = file_format or format_of(file)
    defaults = {} if chosen in WITHOUT_PLACES else POINT_COLUMNS
    may_lack = layout.may_lack and options.map is None
    column_map = ColumnMap.parse(text, defaults=defaults, may_lack=may_lack)
    times_in = options.times_in or layout.times_in
    if options.save_source and not options.dry_run:
        save_source(
            options.save_source,
            column_map=column_map,
            file_format=file_format,
            times_in=times_in,
            options=kept,
        )
    named = options.organisation
    return ImportRequest(
        column_map=column_map,
        source=_source_name(file, column_map, options),
        organisation=None if named is None else get_organisation(named),
        file_format=chosen,
        default_timezone=times_in,
        dry_run=options.dry_run,
        restart=options.restart,
        workers=options.workers,
        updates=options.update,
        options=reading,
    )


def _layout(options: Namespace) -> Layout:
    """Give what a saved source or a preset says."""
    saved = find_source(options.source) if options.source else None
    if saved is not None:
        return Layout(
            column_map=saved.column_map,
            file_format=read_format(saved.file_format) if saved.file_format else None,
            times_in=saved.times_in or None,
            options=saved.options,
        )
    if options.preset is not None:
        preset = get_preset(options.preset)
        return Layout(
            column_map=preset.column_map,
            file_format=preset.file_format,
            times_in=preset.times_in,
            options=preset.options,
            may_lack=True,
        )
    if options.map is None and options.source:
        get_source(options.source)
    return Layout(options={})


def _without_map(
    file: Path, file_format: FileFormat, reading: ReadingOptions
) -> CommandError:
    """Show the columns and the map that they look like."""
    start = "Say with --map which column means what, or --source or --preset."
    if file == STANDARD_INPUT:
        return CommandError(start)
    names = names_in(file, file_format=file_format, options=reading)
    shown = ", ".join(names[:SHOWN_COLUMNS])
    suggested = suggest_map(names)
    if file_format not in WITHOUT_PLACES:
        suggested = suggested.replace(",lat=?,lon=?", "")
    return CommandError(
        f"{start}\nThe columns of {file.name} are: {shown}.\nTry --map '{suggested}'"
    )


def _source_name(file: Path, column_map: ColumnMap, options: Namespace) -> str:
    name = options.save_source or options.source or options.preset
    if name:
        return str(name)
    if file == STANDARD_INPUT:
        raise CommandError("Name the source of the standard input with --source.")
    if "external_id" in column_map.columns:
        raise CommandError(
            "Name the source of the ids with --source: the next file of the same"
            " publisher, under the same name, then brings no event a second time."
        )
    return file.name.split(".")[0]


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _character(text: str) -> str:
    return {"\\t": "\t", "tab": "\t"}.get(text, text)


def _box(text: str) -> Bounds:
    west, south, east, north = map(float, text.split(","))
    return Bounds(south=south, west=west, north=north, east=east)
