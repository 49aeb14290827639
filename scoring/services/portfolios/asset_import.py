"""Brings a file of assets into a portfolio: all of it, or nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from uuid import UUID

import numpy as np
from django.db import transaction

from perf.deadlines import watched
from riskplatform.kernel.errors import BodyTooLargeError
from riskplatform.kernel.ids import uuid7
from scoring.errors import AssetFileError, AssetRowsError
from scoring.metrics import ASSETS_IMPORTED
from scoring.models import Asset, Portfolio
from scoring.selectors.portfolios import find_vulnerabilities
from scoring.services.portfolios.asset_rows import (
    AssetRows,
    delete_assets_by_id,
    hold_cells_still,
    insert_assets,
    place_assets,
    settle_portfolios,
)
from scoring.services.portfolios.location_files.faults import FaultList
from scoring.services.portfolios.location_files.layouts import AssetRow, Layout
from scoring.services.portfolios.location_files.reading import LocationFile
from scoring.services.portfolios.portfolios import lock_portfolio

MAX_ROWS = 250_000
PROGRESS_EVERY_ROWS = 1_000

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """`is_replacing`: a row replaces the asset with its reference."""

    is_replacing: bool = False
    is_dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetImport:
    """What an import did, or would have done; `outside` is in no region."""

    portfolio: Portfolio
    format: str
    row_count: int
    created_count: int
    replaced_count: int
    outside_count: int
    outside_value: Decimal
    is_dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFile:
    """A file that was read: its rows, and what is wrong with them."""

    rows: Sequence[AssetRow]
    layout: Layout
    faults: FaultList
    row_count: int


def import_assets(
    portfolio: Portfolio,
    pieces: Iterable[bytes],
    *,
    options: ImportOptions,
    name: str = "The body",
    on_progress: Progress = lambda _: None,
) -> AssetImport:
    """Import the bytes of a CSV file.

    Raises
    ------
    AssetFileError
        It cannot be read as a file of assets at all.
    AssetRowsError
        Some rows cannot be taken, so none is; `errors` lists up to 1,000 of them.
    """
    assets = read_assets(pieces, name=name, on_progress=on_progress)
    return store_assets(portfolio, assets, options=options)


def read_assets(
    pieces: Iterable[bytes], *, name: str, on_progress: Progress = lambda _: None
) -> AssetFile:
    """Read a CSV file whole; that may take long, so it is for before a transaction."""
    faults = FaultList()
    file = LocationFile(pieces, name=name, faults=faults)
    rows = _read_all(file, on_progress)
    return AssetFile(
        rows=rows, layout=file.layout, faults=faults, row_count=file.row_count
    )


def store_assets(
    portfolio: Portfolio, assets: AssetFile, *, options: ImportOptions
) -> AssetImport:
    """Store what was read, and raise where `import_assets` does."""
    faults = assets.faults
    with transaction.atomic():
        hold_cells_still()
        locked = lock_portfolio(portfolio.organisation, portfolio.pk)
        plan = _plan(
            locked, assets.rows, layout=assets.layout, options=options, faults=faults
        )
        if faults.count:
            raise _rows_error(faults, assets.row_count)
        written = _write(locked, plan, options)
        transaction.on_commit(partial(_count, written))
        transaction.set_rollback(options.is_dry_run)
    return written


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan(AssetRows):
    format: str
    replaced: Sequence[UUID]


def _read_all(file: LocationFile, on_progress: Progress) -> list[AssetRow]:
    rows: list[AssetRow] = []
    for row in watched(file):
        rows.append(row)
        if file.row_count % PROGRESS_EVERY_ROWS == 0:
            on_progress(file.row_count)
        if file.row_count > MAX_ROWS:
            raise BodyTooLargeError(
                f"A file may have {MAX_ROWS:,} rows. Import it in parts.",
                max_rows=MAX_ROWS,
            )
    if not file.row_count:
        raise AssetFileError("The file holds no asset. Add a row below the header.")
    return rows


def _plan(
    portfolio: Portfolio,
    rows: Sequence[AssetRow],
    *,
    layout: Layout,
    options: ImportOptions,
    faults: FaultList,
) -> _Plan:
    """Check the rows against what is stored; the portfolio is locked."""
    stored = dict(
        Asset.objects.filter(portfolio=portfolio).values_list("reference", "pk")
    )
    curve_ids = {
        slug: curve.pk
        for slug, curve in find_vulnerabilities(portfolio.organisation).items()
    }
    for row in watched(rows):
        if row.reference in stored and not options.is_replacing:
            faults.add(layout.taken(row))
        if row.currency not in {"", portfolio.currency}:
            faults.add(layout.wrong_currency(row, portfolio.currency))
        if layout.names_curves and not curve_ids.keys() >= set(row.curves):
            faults.add(layout.unknown_curve(row))
    return _Plan(
        format=layout.format,
        rows=rows,
        ids=[stored.get(row.reference) or uuid7() for row in rows],
        curve_ids=[_first_known(row.curves, curve_ids) for row in rows],
        replaced=[stored[row.reference] for row in rows if row.reference in stored],
    )


def _first_known(slugs: Sequence[str], curve_ids: Mapping[str, int]) -> int | None:
    return next((curve_ids[slug] for slug in slugs if slug in curve_ids), None)


def _write(portfolio: Portfolio, plan: _Plan, options: ImportOptions) -> AssetImport:
    delete_assets_by_id(portfolio, plan.replaced)
    insert_assets(portfolio, plan)
    is_inside = place_assets(
        plan.ids, [row.lat for row in plan.rows], [row.lon for row in plan.rows]
    )
    settle_portfolios([portfolio.pk])
    portfolio.refresh_from_db()
    outside = [plan.rows[i].value for i in np.flatnonzero(~is_inside).tolist()]
    return AssetImport(
        portfolio=portfolio,
        format=plan.format,
        row_count=len(plan.rows),
        created_count=len(plan.rows) - len(plan.replaced),
        replaced_count=len(plan.replaced),
        outside_count=len(outside),
        outside_value=sum(outside, Decimal(0)),
        is_dry_run=options.is_dry_run,
    )


def _count(done: AssetImport) -> None:
    ASSETS_IMPORTED.labels("created").inc(done.created_count)
    ASSETS_IMPORTED.labels("replaced").inc(done.replaced_count)


def _rows_error(faults: FaultList, row_count: int) -> AssetRowsError:
    listed = faults.listed()
    return AssetRowsError(
        f"{faults.count} faults in {row_count} rows, so nothing was imported."
        f" The first: {listed[0]}",
        error_count=faults.count,
        faults=[fault.as_field_fault() for fault in listed],
    )
