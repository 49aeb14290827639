"""Writes of the places of assets: the cell of each region in which an asset lies.

All writes of places take the locks in one order, cells before portfolios, so that
no asset falls between a region that grows and a portfolio that does.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

import h3.api.basic_int as h3
import numpy as np
from django.db import connection, transaction
from django.db.models import QuerySet
from numpy.typing import NDArray

from scoring.engine.arrays import Cells
from scoring.models import Asset, AssetPlace, Portfolio, Region
from scoring.selectors.asset_places import Places, cells_of, find_places, members
from scoring.services.portfolios.asset_rows import insert_places
from scoring.services.portfolios.totals import lock_portfolios, settle_portfolios

KM_PER_DEGREE = 111.0
# Beyond this latitude a cell may hold a pole, and so every longitude.
POLAR_DEGREES = 85.0
HALF_TURN_DEGREES = 180.0


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
    places = _places_in(region, fresh, rows)
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


def _places_in(
    region: Region, cells: Cells, rows: list[tuple[UUID, float, float, UUID]]
) -> Places:
    lat = np.array([row[1] for row in rows], dtype=np.float64)
    lon = np.array([row[2] for row in rows], dtype=np.float64)
    return members(region.pk, cells_of(lat, lon, region.resolution), cells)
