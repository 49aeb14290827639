"""Finds out how a file of events is to be read, by looking and by a dry run."""

from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.utils.text import slugify

from analytics.ingest.files import format_of, names_in, open_file, read_format
from analytics.ingest.presets import find_preset
from analytics.ingest.reading_options import ReadingOptions
from analytics.ingest.rows import BadRow
from analytics.ingest.saved import find_source
from riskplatform.kernel.errors import InvalidInputError
from scoring.services.imports.arguments import parse_words
from scoring.services.imports.outcome import SHOWN_CHARS, SHOWN_ROWS
from scoring.services.imports.requests import OF_READING, map_of_names
from scoring.services.imports.running import Imported
from scoring.services.regions import ImportRequest

# A file has few kinds of faults that an option mends.
MAX_REHEARSALS = 4

DryRun = Callable[[Namespace], Imported]


class Proposal(NamedTuple):
    """The options to add so that a file is read, and a dry run with them."""

    words: tuple[str, ...]
    tried: Imported


def propose(path: Path, given: Namespace, dry_run: DryRun) -> Proposal:
    """Try, add the options that read what was refused, and try again.

    An option is added where exactly one fits all that was refused for its reason.

    Raises
    ------
    InvalidInputError
        No column looks like the time or the place; names the columns.
    """
    words = (*_layout(path, given), *_source(path, given))
    options = parse_words(words, given)
    tried = dry_run(options)
    for _ in range(MAX_REHEARSALS - 1):
        fitting = tuple(tried.report.fitting)
        if not fitting or _has_any(options, fitting[::2]):
            break
        words = (*words, *fitting)
        options = parse_words(fitting, options)
        tried = dry_run(options)
    return Proposal(words, tried)


def _layout(path: Path, given: Namespace) -> tuple[str, ...]:
    """Propose a preset or a map, where nothing says how the columns are called."""
    is_saved = given.source and find_source(given.source) is not None
    if given.map or given.preset or is_saved:
        return ()
    file_format = read_format(given.format) if given.format else format_of(path)
    said = {name: getattr(given, name) for name in OF_READING}
    options = {name: value for name, value in said.items() if value is not None}
    names = names_in(path, file_format=file_format, options=ReadingOptions.of(options))
    preset = find_preset(names, file_format=file_format)
    if preset is not None:
        return ("--preset", preset)
    suggested = map_of_names(names, file_format)
    if "=?" in suggested:
        raise InvalidInputError(
            f"No column of {path.name} looks like the time or the place. The columns"
            f" are: {', '.join(names)}. Say which is which: --map '{suggested}'"
        )
    return ("--map", suggested)


def _source(path: Path, given: Namespace) -> tuple[str, ...]:
    if given.source or given.preset:
        return ()
    return ("--source", slugify(path.name.split(".")[0]) or "file")


def _has_any(options: Namespace, names: Iterable[str]) -> bool:
    fields = (name.removeprefix("--").replace("-", "_") for name in names)
    return any(getattr(options, field) is not None for field in fields)


def first_rows(
    path: Path, request: ImportRequest
) -> tuple[Sequence[str], list[list[str]]]:
    """Give the columns and the first rows of a file that can be read."""
    with open_file(
        path,
        file_format=request.file_format,
        column_map=request.column_map,
        options=request.options,
    ) as opened:
        first = islice(opened.rows, SHOWN_ROWS)
        rows = [row for _, row in first if not isinstance(row, BadRow)]
        shown = [[text[:SHOWN_CHARS] for text in row] for row in rows]
        return [name for name in opened.rows.header if "\0" not in name], shown
