"""Imports an uploaded file of assets into a portfolio, or only checks it."""

from itertools import islice

from django.db import transaction

from analytics.ingest.csv_lines import LineSource
from analytics.ingest.csv_rows import CsvRows
from analytics.ingest.reading_options import ReadingOptions as FileOptions
from analytics.ingest.rows import BadRow
from analytics.ingest.unpacking import ByteSource
from riskplatform.kernel.errors import InvalidInputError
from scoring.errors import AssetFileError, AssetRowsError
from scoring.models import Portfolio, Upload
from scoring.services.imports.arguments import parse_asset_words
from scoring.services.imports.instructions import AssetInstructions
from scoring.services.imports.outcome import (
    SHOWN_CHARS,
    SHOWN_REJECTIONS,
    SHOWN_ROWS,
    ImportOutcome,
    OnFraction,
)
from scoring.services.imports.texts import asset_lines
from scoring.services.portfolios.asset_import import (
    AssetFile,
    ImportOptions,
    read_assets,
    store_assets,
)
from scoring.services.portfolios.asset_layouts import ReadingOptions
from scoring.services.portfolios.asset_values import fault_text
from scoring.services.portfolios.portfolios import create_portfolio


def run_asset_import(
    upload: Upload,
    instructions: AssetInstructions,
    *,
    dry_run: bool,
    on_fraction: OnFraction,
) -> ImportOutcome:
    """Import the assets of an uploaded file: all of them, or none."""
    options = parse_asset_words(instructions.words)
    columns, rows = _first_rows(upload, options)
    outcome = ImportOutcome(
        lines=[], columns=columns, rows=rows, rejections=[], taken=0
    )
    try:
        file = _read(upload, instructions, on_fraction)
        with transaction.atomic():
            done = store_assets(
                _portfolio(upload, instructions),
                file,
                options=ImportOptions(
                    is_replacing=instructions.is_replacing, is_dry_run=dry_run
                ),
            )
            # A dry run leaves no portfolio behind.
            transaction.set_rollback(dry_run)
    except AssetRowsError as error:
        outcome.lines = [error.message]
        outcome.rejections = list(map(fault_text, error.faults[:SHOWN_REJECTIONS]))
        return outcome
    outcome.lines = list(asset_lines(done, file=upload.name))
    outcome.taken = done.row_count
    return outcome


def _read(
    upload: Upload, instructions: AssetInstructions, on_fraction: OnFraction
) -> AssetFile:
    with ByteSource(upload.path) as source:
        file = read_assets(
            source,
            name=upload.name,
            reading=ReadingOptions(
                layout=instructions.layout,
                column_map=instructions.column_map,
                is_skipping_unlocated=instructions.is_skipping_unlocated,
                file=parse_asset_words(instructions.words),
            ),
            on_progress=lambda _: on_fraction(source.fraction or 0.0),
        )
        if source.fault is not None:
            raise AssetFileError(source.fault.reason)
    return file


def _portfolio(upload: Upload, instructions: AssetInstructions) -> Portfolio:
    if upload.organisation is None:
        raise InvalidInputError("A portfolio belongs to an organisation: name it.")
    portfolios = Portfolio.objects.for_organisation(upload.organisation)
    known = portfolios.filter(name=instructions.portfolio).first()
    return known or create_portfolio(
        upload.organisation,
        name=instructions.portfolio,
        currency=instructions.currency,
    )


def _first_rows(
    upload: Upload, options: FileOptions
) -> tuple[list[str], list[list[str]]]:
    with ByteSource(upload.path) as source:
        reader = CsvRows(LineSource(source), file=upload.name, options=options)
        first = islice(reader, SHOWN_ROWS)
        rows = [row for _, row in first if not isinstance(row, BadRow)]
    shown = [[text[:SHOWN_CHARS] for text in row] for row in rows]
    return list(reader.header), shown
