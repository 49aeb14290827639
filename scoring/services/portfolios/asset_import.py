"""Brings a file of assets into a portfolio: all of it, or nothing."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from uuid import UUID

import numpy as np
from django.db import transaction

from analytics.errors import EventFileError
from analytics.ingest.csv_lines import LineSource
from analytics.ingest.csv_rows import CsvRows
from analytics.ingest.rows import BadRow
from analytics.ingest.rules import shown
from perf.deadlines import watched
from riskplatform.kernel.errors import BodyTooLargeError, FieldFault
from riskplatform.kernel.ids import uuid7
from scoring.errors import AssetFileError, AssetRowsError
from scoring.metrics import ASSETS_IMPORTED
from scoring.models import Asset, Portfolio
from scoring.selectors.portfolios import find_vulnerabilities
from scoring.services.portfolios.asset_layouts import (
    AS_FOUND,
    Format,
    Layout,
    ReadingOptions,
    choose_layout,
)
from scoring.services.portfolios.asset_rows import (
    delete_assets_by_id,
    hold_cells_still,
    insert_assets,
    place_assets,
    settle_portfolios,
)
from scoring.services.portfolios.asset_values import (
    AssetCode,
    AssetRow,
    RowValues,
    fault_text,
    row_fault,
)
from scoring.services.portfolios.portfolios import lock_portfolio

MAX_ROWS = 250_000
MAX_LISTED = 1_000
PROGRESS_EVERY_ROWS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """`is_replacing`: rows replace assets of their reference; `replacing` asks it."""

    is_replacing: bool = False
    replacing: str = "replace=true"
    is_dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetImport:
    """What an import did, or would have done; `outside` is in no region.

    `ignored_terms` counts assets by the column of a term that none of them has. Further
    rows of a location, one for each peril, are `repeated`.
    """

    portfolio: Portfolio
    format: Format
    row_count: int
    created_count: int
    replaced_count: int
    outside_count: int
    outside_value: Decimal
    is_dry_run: bool
    ignored_terms: dict[str, int]
    without_curve_count: int
    unlocated_count: int
    repeated_count: int


@dataclass(slots=True, kw_only=True)
class AssetFile:
    """A file that was read: its rows, and what is wrong with them.

    All faults are counted, and the first of them kept, in the order they were found.
    """

    layout: Layout
    rows: list[AssetRow] = field(default_factory=list)
    row_count: int = 0
    unlocated_count: int = 0
    repeated_count: int = 0
    fault_count: int = 0
    faults: list[FieldFault] = field(default_factory=list)

    def note(self, *faults: FieldFault) -> None:
        self.fault_count += len(faults)
        if len(self.faults) < 2 * MAX_LISTED:
            self.faults.extend(faults)

    def note_asset(
        self, asset: AssetRow, column: str, code: AssetCode, reason: str
    ) -> None:
        """Note what is wrong with a row that could be read."""
        name = self.layout.header[self.layout.columns[column]]
        self.note(row_fault(asset.row, name, code, reason))

    def rows_error(self) -> AssetRowsError:
        """Name the first faults, in the order of the rows."""
        in_order = sorted(self.faults, key=lambda fault: int(fault.field[0]))
        return AssetRowsError(
            f"{self.fault_count} faults in {self.row_count} rows, so nothing was"
            f" imported. The first: {fault_text(in_order[0])}",
            error_count=self.fault_count,
            faults=in_order[:MAX_LISTED],
        )


def import_assets(
    portfolio: Portfolio,
    pieces: Iterable[bytes],
    *,
    options: ImportOptions,
    reading: ReadingOptions = AS_FOUND,
) -> AssetImport:
    """Import the bytes of a CSV file.

    Raises
    ------
    AssetFileError
        It cannot be read as a file of assets at all.
    AssetRowsError
        Some rows cannot be taken, so none is; `errors` lists up to 1,000 of them.
    """
    file = read_assets(pieces, name="The body", reading=reading)
    return store_assets(portfolio, file, options=options)


def read_assets(
    pieces: Iterable[bytes],
    *,
    name: str,
    reading: ReadingOptions = AS_FOUND,
    on_progress: Callable[[int], None] = lambda _: None,
) -> AssetFile:
    """Read a CSV file whole; that may take long, so it is for before a transaction."""
    try:
        source = CsvRows(LineSource(pieces), file=name, options=reading.file)
    except EventFileError as error:
        raise AssetFileError(error.message) from error
    file = AssetFile(layout=choose_layout(source.header, reading))
    for asset in watched(_readable(source, file, reading)):
        file.rows.append(asset)
        if file.row_count % PROGRESS_EVERY_ROWS == 0:
            on_progress(file.row_count)
        if file.row_count > MAX_ROWS:
            raise BodyTooLargeError(
                f"A file may have {MAX_ROWS:,} rows. Import it in parts.",
                max_rows=MAX_ROWS,
            )
    if not file.row_count:
        raise AssetFileError("The file holds no asset. Add a row below the header.")
    return file


def store_assets(
    portfolio: Portfolio, file: AssetFile, *, options: ImportOptions
) -> AssetImport:
    """Store what was read, and raise where `import_assets` does."""
    with transaction.atomic():
        hold_cells_still()
        locked = lock_portfolio(portfolio.organisation, portfolio.pk)
        assets = Asset.objects.filter(portfolio=locked)
        stored = dict(assets.values_list("reference", "pk"))
        vulnerabilities = find_vulnerabilities(locked.organisation)
        curve_ids = {slug: curve.pk for slug, curve in vulnerabilities.items()}
        known = {} if options.is_replacing else stored
        _check(file, known, curve_ids.keys(), locked.currency, options.replacing)
        if file.fault_count:
            raise file.rows_error()
        written = _write(locked, file, stored, curve_ids, options)
        transaction.on_commit(partial(_count, written))
        transaction.set_rollback(options.is_dry_run)
    return written


def _readable(
    source: CsvRows, file: AssetFile, reading: ReadingOptions
) -> Iterator[AssetRow]:
    """Yield the rows that can be read, and note the faults of the others."""
    layout = file.layout
    first_of: dict[str, AssetRow] = {}
    for number, texts in source:
        file.row_count += 1
        if isinstance(texts, BadRow):
            fault = texts.fault
            file.note(row_fault(number, texts.column, fault.code, fault.reason))
            continue
        values = RowValues(
            number,
            texts,
            columns=layout.columns,
            header=layout.header,
            options=reading.file,
        )
        if reading.is_skipping_unlocated and not any(map(values.raw, layout.place)):
            file.unlocated_count += 1
            continue
        asset = layout.read_values(values)
        if values.faults:
            file.note(*values.faults)
        elif (first := first_of.setdefault(asset.reference, asset)) is asset:
            yield asset
        elif layout.format == "oed" and _is_same_location(asset, first):
            # Its terms for another peril; there is one peril here.
            file.repeated_count += 1
        else:
            reason = f"{shown(asset.reference)} came in row {first.row} already."
            code = AssetCode.DUPLICATE_REFERENCE
            file.note_asset(asset, layout.reference, code, reason)


def _is_same_location(one: AssetRow, other: AssetRow) -> bool:
    return (one.lat, one.lon, one.value) == (other.lat, other.lon, other.value)


def _check(
    file: AssetFile,
    stored: Mapping[str, UUID],
    curves: Iterable[str],
    currency: str,
    replacing: str,
) -> None:
    """Check the rows against what the portfolio has; `stored` may not come again."""
    layout, known_curves = file.layout, set(curves)
    for row in watched(file.rows):
        if row.reference in stored:
            reason = (
                f"the portfolio has {shown(row.reference)} already."
                f" Import with {replacing} to change it."
            )
            code = AssetCode.REFERENCE_TAKEN
            file.note_asset(row, layout.reference, code, reason)
        if row.currency not in {"", currency}:
            reason = (
                f"{shown(row.currency)} is not {currency}, as the portfolio has it."
            )
            file.note_asset(row, layout.currency, AssetCode.WRONG_CURRENCY, reason)
        if layout.names_curves and not known_curves.issuperset(row.curves):
            reason = f"there is no vulnerability {', '.join(map(shown, row.curves))}."
            code = AssetCode.UNKNOWN_VULNERABILITY
            file.note_asset(row, "vulnerability", code, reason)


def _write(
    portfolio: Portfolio,
    file: AssetFile,
    stored: Mapping[str, UUID],
    curve_ids: Mapping[str, int],
    options: ImportOptions,
) -> AssetImport:
    rows = file.rows
    replaced = [stored[row.reference] for row in rows if row.reference in stored]
    ids = [stored.get(row.reference) or uuid7() for row in rows]
    curves = [_first_known(row.curves, curve_ids) for row in rows]
    delete_assets_by_id(portfolio, replaced)
    insert_assets(portfolio, rows, ids, curves)
    is_inside = place_assets(ids, [row.lat for row in rows], [row.lon for row in rows])
    settle_portfolios([portfolio.pk])
    portfolio.refresh_from_db()
    ignored = Counter(name for row in rows for name in row.ignored)
    outside = [rows[index].value for index in np.flatnonzero(~is_inside).tolist()]
    return AssetImport(
        portfolio=portfolio,
        format=file.layout.format,
        row_count=len(rows),
        created_count=len(rows) - len(replaced),
        replaced_count=len(replaced),
        outside_count=len(outside),
        outside_value=sum(outside, Decimal(0)),
        is_dry_run=options.is_dry_run,
        ignored_terms=dict(sorted(ignored.items())),
        without_curve_count=curves.count(None),
        unlocated_count=file.unlocated_count,
        repeated_count=file.repeated_count,
    )


def _first_known(slugs: Sequence[str], curve_ids: Mapping[str, int]) -> int | None:
    return next((curve_ids[slug] for slug in slugs if slug in curve_ids), None)


def _count(done: AssetImport) -> None:
    ASSETS_IMPORTED.labels("created").inc(done.created_count)
    ASSETS_IMPORTED.labels("replaced").inc(done.replaced_count)
