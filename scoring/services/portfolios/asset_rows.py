"""Writes many assets and places at once, without a model instance for each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import connection, router
from django.db.models import QuerySet
from django.utils import timezone

from analytics.inbox.bulk import Value, insert_rows
from scoring.models import Asset, AssetPlace, Portfolio
from scoring.selectors.asset_places import Places
from scoring.services.portfolios.location_files.layouts import AssetRow

BATCH_ROWS = 5_000
# PostgreSQL takes tables for as small as they were when it last looked, and would join
# so many new rows one by one, for minutes.
ANALYZED_ROWS = 10_000
ASSET_COLUMNS = (
    *("id", "portfolio_id", "reference", "name", "lat", "lon", "value"),
    *("deductible", "limit", "vulnerability_id", "updated_at"),
)
PLACE_COLUMNS = ("asset_id", "region_id", "h3")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRows:
    """Rows of a file with the ids and the curves that their assets will have."""

    rows: Sequence[AssetRow]
    ids: Sequence[UUID]
    curve_ids: Sequence[int | None]


def insert_assets(portfolio: Portfolio, rows: AssetRows) -> None:
    insert_rows(Asset, ASSET_COLUMNS, _asset_values(portfolio, rows))


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


def _asset_values(portfolio: Portfolio, rows: AssetRows) -> Iterator[tuple[Value, ...]]:
    portfolio_id = _id(portfolio.pk)
    updated_at = connection.ops.adapt_datetimefield_value(timezone.now())
    parts = zip(rows.rows, rows.ids, rows.curve_ids, strict=True)
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
            updated_at,
        )


def _amount(value: Decimal) -> Value:
    """Give the amount as the database takes it: SQLite takes text."""
    adapted: Value = connection.ops.adapt_decimalfield_value(value)
    return adapted


def _id(value: UUID) -> Value:
    return value if connection.features.has_native_uuid_field else value.hex
