"""Writes of many assets, of the cells in which they lie, and of portfolios' totals.

All writes of places take the locks in one order, cells before portfolios, so that
no asset falls between a region that grows and a portfolio that does.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import h3.api.basic_int as h3
import numpy as np
from django.db import connection, router, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone
from numpy.typing import NDArray

from analytics.inbox.bulk import Value, insert_rows
from riskplatform.kernel.changes import publish_changes
from scoring import change_names
from scoring.engine.arrays import Cells
from scoring.models import Asset, AssetPlace, Portfolio, Region
from scoring.models.portfolio import SEPARATOR
from scoring.selectors.placement import Places, cells_of, find_places, members
from scoring.services.portfolios.asset_values import AssetRow

KM_PER_DEGREE = 111.0
# Beyond this latitude a cell may hold a pole, and so every longitude.
POLAR_DEGREES = 85.0
HALF_TURN_DEGREES = 180.0
BATCH_ROWS = 5_000
# PostgreSQL takes tables for as small as they were when it last looked, and would join
# so many new rows one by one, for minutes.
ANALYZED_ROWS = 10_000
ASSET_COLUMNS = (
    *("id", "portfolio_id", "reference", "name", "lat", "lon", "value"),
    *("deductible", "limit", "vulnerability_id", "ignored_terms", "updated_at"),
)
PLACE_COLUMNS = ("asset_id", "region_id", "h3")
TOTALS = ("asset_count", "total_value", "outside_count", "outside_value")


def hold_cells_still() -> None:
    """Let no region grow until the transaction ends; several may hold at once."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE scoring_cell IN SHARE MODE")


def place_assets(
    ids: Sequence[UUID], lat: Sequence[float], lon: Sequence[float]
) -> NDArray[np.bool_]:
    """Place assets that have no places; says of each whether it lies in a region.

    The caller holds the cells still.
    """
    places = find_places(np.array(lat, np.float64), np.array(lon, np.float64))
    insert_places(ids, places)
    is_inside = np.zeros(len(ids), dtype=np.bool_)
    is_inside[places.row] = True
    return is_inside


@transaction.atomic
def place_in_cells(region: Region, cells: Iterable[int]) -> int:
    """Place existing assets in new cells of a region; returns how many lie there."""
    fresh = np.fromiter(cells, dtype=np.uint64)
    if fresh.size == 0:
        return 0
    near = _assets_near(region, fresh)
    portfolio_ids = set(near.values_list("portfolio_id", flat=True).distinct())
    lock_portfolios(portfolio_ids)
    rows = list(near.values_list("pk", "lat", "lon", "portfolio_id"))
    lat = np.array([row[1] for row in rows], dtype=np.float64)
    lon = np.array([row[2] for row in rows], dtype=np.float64)
    places = members(region.pk, cells_of(lat, lon, region.resolution), fresh)
    insert_places([pk for pk, *_ in rows], places)
    settle_portfolios({rows[row][3] for row in places.row.tolist()})
    return places.row.size


@transaction.atomic
def place_again(portfolio: Portfolio) -> int:
    """Find all places of a portfolio again; returns how many assets lie in none."""
    hold_cells_still()
    lock_portfolios([portfolio.pk])
    AssetPlace.objects.filter(asset__portfolio=portfolio).delete()
    assets = Asset.objects.filter(portfolio=portfolio)
    rows = list(assets.values_list("pk", "lat", "lon"))
    is_inside = place_assets(
        [pk for pk, _, _ in rows],
        [lat for _, lat, _ in rows],
        [lon for _, _, lon in rows],
    )
    settle_portfolios([portfolio.pk])
    return int((~is_inside).sum())


def _assets_near(region: Region, cells: Cells) -> "QuerySet[Asset]":
    """Keep the assets that may lie in the cells and have no place in the region."""
    centres = np.array([h3.cell_to_latlng(cell) for cell in cells.tolist()])
    (south, west), (north, east) = centres.min(axis=0), centres.max(axis=0)
    edge_km = h3.average_hexagon_edge_length(region.resolution, unit="km")
    margin = 2 * edge_km / KM_PER_DEGREE
    near = Asset.objects.filter(lat__range=(south - margin, north + margin))
    beyond = max(abs(south - margin), abs(north + margin))
    # Cells on both sides of the antimeridian look as wide as the globe.
    if beyond < POLAR_DEGREES and east - west < HALF_TURN_DEGREES:
        margin /= np.cos(np.radians(beyond))
        if west - margin > -HALF_TURN_DEGREES and east + margin < HALF_TURN_DEGREES:
            near = near.filter(lon__range=(west - margin, east + margin))
    return near.exclude(places__region=region)


def insert_assets(
    portfolio: Portfolio,
    rows: Sequence[AssetRow],
    ids: Sequence[UUID],
    curve_ids: Sequence[int | None],
) -> None:
    """Write rows of a file with the ids and the curves that their assets have."""
    values = _asset_values(portfolio, zip(rows, ids, curve_ids, strict=True))
    insert_rows(Asset, ASSET_COLUMNS, values)


def insert_places(asset_ids: Sequence[UUID], places: Places) -> None:
    """Write places whose `row` counts in `asset_ids`."""
    columns = (places.row.tolist(), places.region_id.tolist(), places.cell.tolist())
    values = (
        (_id(asset_ids[row]), region_id, cell)
        for row, region_id, cell in zip(*columns, strict=True)
    )
    insert_rows(AssetPlace, PLACE_COLUMNS, values)
    if len(asset_ids) >= ANALYZED_ROWS and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE scoring_asset, scoring_assetplace")


def delete_assets(assets: "QuerySet[Asset]") -> None:
    """Delete in two statements; a cascade would read each of the assets first."""
    AssetPlace.objects.filter(asset__in=assets).delete()
    plain = Asset.objects.filter(pk__in=assets.values("pk")).order_by()
    plain._raw_delete(router.db_for_write(Asset))  # noqa: SLF001 - has no public name


def delete_assets_by_id(portfolio: Portfolio, ids: Sequence[UUID]) -> None:
    mine = Asset.objects.filter(portfolio=portfolio)
    for start in range(0, len(ids), BATCH_ROWS):
        delete_assets(mine.filter(pk__in=ids[start : start + BATCH_ROWS]))


def _asset_values(
    portfolio: Portfolio, parts: Iterable[tuple[AssetRow, UUID, int | None]]
) -> Iterator[tuple[Value, ...]]:
    portfolio_id = _id(portfolio.pk)
    updated_at = connection.ops.adapt_datetimefield_value(timezone.now())
    for row, pk, curve_id in parts:
        yield (
            _id(pk),
            portfolio_id,
            row.reference,
            row.name,
            row.lat,
            row.lon,
            _amount(row.value),
            _amount(row.deductible),
            None if row.limit is None else _amount(row.limit),
            curve_id,
            SEPARATOR.join(row.ignored),
            updated_at,
        )


def _amount(value: Decimal) -> Value:
    """Give the amount as the database takes it: SQLite takes text."""
    adapted: Value = connection.ops.adapt_decimalfield_value(value)
    return adapted


def _id(value: UUID) -> Value:
    return value if connection.features.has_native_uuid_field else value.hex


def lock_portfolios(ids: Collection[UUID]) -> list[Portfolio]:
    """Lock in the order of ids, so that no two transactions wait for each other."""
    rows = Portfolio.objects.filter(pk__in=ids).order_by("pk")
    return list(rows.select_for_update())


def settle_portfolios(ids: Collection[UUID]) -> None:
    """Recount the assets and begin a revision; the caller holds the locks."""
    for pk, totals in _count(ids).items():
        Portfolio.objects.filter(pk=pk).update(
            **totals, revision=F("revision") + 1, updated_at=timezone.now()
        )
    publish_changes(*map(change_names.portfolio, ids))


def _count(ids: Collection[UUID]) -> dict[UUID, dict[str, object]]:
    """Add up the assets: one query for any number of portfolios."""
    is_outside = Q(is_inside=False)
    inside = AssetPlace.objects.filter(asset=OuterRef("pk"))
    grouped = (
        Asset.objects.filter(portfolio__in=ids)
        .annotate(is_inside=Exists(inside))
        .order_by()
        .values("portfolio_id")
        .annotate(
            asset_count=Count("pk"),
            total_value=Sum("value"),
            outside_count=Count("pk", filter=is_outside),
            outside_value=Sum("value", filter=is_outside, default=0),
        )
    )
    found: dict[UUID, Any] = {row["portfolio_id"]: row for row in grouped}
    return {
        pk: {name: found[pk][name] if pk in found else 0 for name in TOTALS}
        for pk in ids
    }
