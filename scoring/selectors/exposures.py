"""What a portfolio has at stake in a region, as columns for the engine."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import h3.api.basic_int as h3
import numpy as np
from django.db.models import Count, F, FloatField, Sum
from django.db.models.functions import Cast
from numpy.typing import NDArray

from scoring.engine.arrays import Floats
from scoring.engine.exposures import Curve
from scoring.models import Asset, AssetPlace, Portfolio, Region, Vulnerability
from scoring.models.portfolio import SEPARATOR

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
    ignored_terms
        All assets of the portfolio by the column of a term that is left out.
    """

    asset_ids: Sequence[UUID | None]
    references: list[str]
    cells: NDArray[np.uint64]
    value: Floats
    deductible: Floats
    limit: Floats
    vulnerability_index: NDArray[np.int64]
    curves: list[Curve]
    outside_count: int
    outside_value: Decimal
    ignored_terms: dict[str, int]

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
    whole = _whole(portfolio)
    places = places.order_by()
    inside = places.aggregate(count=Count("pk"), value=Sum("asset__value"))
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
        # To look for each asset whether it has no place takes minutes as long as the
        # statistics of the database know nothing of the tables.
        outside_count=whole.count - inside["count"],
        outside_value=whole.value - (inside["value"] or Decimal(0)),
        ignored_terms=whole.ignored_terms,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAsset:
    """An asset that is stored nowhere; `vulnerability` is the slug of a curve."""

    reference: str
    lat: float
    lon: float
    value: Decimal
    deductible: Decimal = Decimal(0)
    limit: Decimal | None = None
    vulnerability: str | None = None


def exposure_of(
    assets: Sequence[GivenAsset],
    region: Region,
    vulnerabilities: Mapping[str, Vulnerability],
) -> Exposure:
    """Make the exposure of assets that are given; what is elsewhere is placed later."""
    used = sorted({each.vulnerability for each in assets if each.vulnerability})
    keys = {slug: vulnerabilities[slug].pk for slug in used}
    curves, index_of = _read_curves(set(keys.values()))
    limits = [np.inf if each.limit is None else float(each.limit) for each in assets]
    return Exposure(
        asset_ids=[None] * len(assets),
        references=[each.reference for each in assets],
        cells=np.array(
            [h3.latlng_to_cell(it.lat, it.lon, region.resolution) for it in assets],
            dtype=np.uint64,
        ),
        value=np.array([float(each.value) for each in assets]),
        deductible=np.array([float(each.deductible) for each in assets]),
        limit=np.array(limits),
        vulnerability_index=np.array(
            [
                NO_CURVE
                if each.vulnerability is None
                else index_of[keys[each.vulnerability]]
                for each in assets
            ],
            dtype=np.int64,
        ),
        curves=curves,
        outside_count=0,
        outside_value=Decimal(0),
        ignored_terms={},
    )


def _read_curves(ids: set[int]) -> tuple[list[Curve], dict[int | None, int]]:
    if not ids:
        return [], {}
    wanted = Vulnerability.objects.filter(pk__in=ids).order_by("pk")
    found = list(wanted.values_list("pk", "points"))
    tables = [np.array(points, dtype=np.float64) for _, points in found]
    curves = [(table[:, 0].copy(), table[:, 1].copy()) for table in tables]
    return curves, {pk: position for position, (pk, _) in enumerate(found)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    count: int
    value: Decimal
    ignored_terms: dict[str, int]


def _whole(portfolio: Portfolio) -> _Whole:
    """Add up all of a portfolio: one query, a row for each list of ignored terms."""
    assets = Asset.objects.filter(portfolio=portfolio).order_by()
    grouped = assets.values_list("ignored_terms").annotate(Count("pk"), Sum("value"))
    ignored: Counter[str] = Counter()
    count, value = 0, Decimal(0)
    for names, group_count, group_value in grouped:
        ignored.update(dict.fromkeys(filter(None, names.split(SEPARATOR)), group_count))
        count, value = count + group_count, value + group_value
    return _Whole(count=count, value=value, ignored_terms=dict(sorted(ignored.items())))
