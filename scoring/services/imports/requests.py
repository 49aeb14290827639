"""Puts together how a file is read: what is said, over what is saved, over a preset."""

import os
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analytics.ingest.column_map import ColumnMap, suggest_map
from analytics.ingest.features import POINT_COLUMNS
from analytics.ingest.files import FileFormat, format_of, names_in, read_format
from analytics.ingest.presets import get_preset
from analytics.ingest.reading_options import ReadingOptions
from analytics.ingest.saved import find_source, get_source, save_source
from analytics.ingest.unpacking import STANDARD_INPUT
from riskplatform.api.keys.services import get_organisation
from riskplatform.kernel.errors import InvalidInputError
from scoring.services.regions import ImportRequest

SHOWN_COLUMNS = 60
WITHOUT_PLACES = frozenset({FileFormat.CSV})
# Options of the command that are options of the reading under the same name.
OF_READING = (
    *("delimiter", "columns", "skip_lines", "comment", "decimal", "thousands"),
    *("nulls", "time_format", "point", "layer", "allow_null_island"),
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
        raise InvalidInputError(f"--workers is between 1 and {limit} on this machine.")
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
) -> InvalidInputError:
    """Show the columns and the map that they look like."""
    start = "Say with --map which column means what, or --source or --preset."
    if file == STANDARD_INPUT:
        return InvalidInputError(start)
    names = names_in(file, file_format=file_format, options=reading)
    shown = ", ".join(names[:SHOWN_COLUMNS])
    return InvalidInputError(
        f"{start}\nThe columns of {file.name} are: {shown}."
        f"\nTry --map '{map_of_names(names, file_format)}'"
    )


def map_of_names(names: Sequence[str], file_format: FileFormat) -> str:
    """Write the map that columns look like; `?` stands where none does."""
    suggested = suggest_map(names)
    if file_format in WITHOUT_PLACES:
        return suggested
    return suggested.replace(",lat=?,lon=?", "")


def _source_name(file: Path, column_map: ColumnMap, options: Namespace) -> str:
    name = options.save_source or options.source or options.preset
    if name:
        return str(name)
    if file == STANDARD_INPUT:
        raise InvalidInputError("Name the source of the standard input with --source.")
    if "external_id" in column_map.columns:
        raise InvalidInputError(
            "Name the source of the ids with --source: the next file of the same"
            " publisher, under the same name, then brings no event a second time."
        )
    return file.name.split(".")[0]
