"""What a portfolio has at stake in a region, as columns for the engine."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import numpy as np
from django.db.models import Count, F, FloatField, Sum
from django.db.models.functions import Cast
from numpy.typing import NDArray

from scoring.engine.arrays import Floats
from scoring.engine.exposures import Curve
from scoring.models import Asset, AssetPlace, Portfolio, Region, Vulnerability

NO_CURVE = -1
COLUMNS = (
    *("asset_id", "asset__reference", "h3"),
    *("value_number", "deductible_number", "limit_number", "asset__vulnerability_id"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exposure:
    """The assets of a portfolio that lie in a region, in the order of their ids.

    Every array has shape (n_assets,).

    Attributes
    ----------
    cells
        H3 index of the region's cell in which each asset lies.
    value, deductible, limit
        In the currency of the portfolio; `limit` is infinite where there is none.
    vulnerability_index
        Position in `curves`, -1 for an asset without a curve.
    curves
        Of each vulnerability in use: severities ascending, and damage ratios.
    outside_count, outside_value
        What the portfolio has elsewhere: in no cell of this region.
    """

    asset_ids: list[UUID]
    references: list[str]
    cells: NDArray[np.uint64]
    value: Floats
    deductible: Floats
    limit: Floats
    vulnerability_index: NDArray[np.int64]
    curves: list[Curve]
    outside_count: int
    outside_value: Decimal

    def __len__(self) -> int:
        return len(self.asset_ids)


def load_exposure(portfolio: Portfolio, region: Region) -> Exposure:
    """Read the exposure of a portfolio in a region: four queries for any size."""
    places = AssetPlace.objects.filter(region=region, asset__portfolio=portfolio)
    # The database turns money into floats: decimals are slow to read.
    amounts = {
        f"{name}_number": Cast(F(f"asset__{name}"), FloatField())
        for name in ("value", "deductible", "limit")
    }
    rows = list(places.annotate(**amounts).order_by("asset_id").values_list(*COLUMNS))
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(COLUMNS)
    asset_ids, references, cells, value, deductible, limit, kinds = columns
    curves, index_of = _read_curves({kind for kind in kinds if kind is not None})
    limits = np.array(limit, dtype=np.float64)
    outside_count, outside_value = _outside(portfolio, region)
    return Exposure(
        asset_ids=list(asset_ids),
        references=list(references),
        cells=np.array(cells, dtype=np.uint64),
        value=np.array(value, dtype=np.float64),
        deductible=np.array(deductible, dtype=np.float64),
        limit=np.where(np.isnan(limits), np.inf, limits),
        vulnerability_index=np.array(
            [index_of.get(kind, NO_CURVE) for kind in kinds], dtype=np.int64
        ),
        curves=curves,
        outside_count=outside_count,
        outside_value=outside_value,
    )


def _read_curves(ids: set[int]) -> tuple[list[Curve], dict[int | None, int]]:
    if not ids:
        return [], {}
    wanted = Vulnerability.objects.filter(pk__in=ids).order_by("pk")
    found = list(wanted.values_list("pk", "points"))
    tables = [np.array(points, dtype=np.float64) for _, points in found]
    curves = [(table[:, 0].copy(), table[:, 1].copy()) for table in tables]
    return curves, {pk: position for position, (pk, _) in enumerate(found)}


def _outside(portfolio: Portfolio, region: Region) -> tuple[int, Decimal]:
    """Count what has no place in a region: all of it, less what has.

    To look for each asset whether it has none takes minutes as long as the statistics
    of the database know nothing of the tables.
    """
    sums = {"count": Count("pk"), "value": Sum("value")}
    everything = Asset.objects.filter(portfolio=portfolio).aggregate(**sums)
    places = AssetPlace.objects.filter(region=region, asset__portfolio=portfolio)
    inside = places.aggregate(count=Count("pk"), value=Sum("asset__value"))
    value = (everything["value"] or Decimal(0)) - (inside["value"] or Decimal(0))
    return everything["count"] - inside["count"], value
