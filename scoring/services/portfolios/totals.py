"""Keeps the totals of portfolios true to their assets."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, Sum
from django.utils import timezone

from riskplatform.kernel.changes import publish_changes
from scoring import change_names
from scoring.models import Asset, AssetPlace, Portfolio

TOTALS = ("asset_count", "total_value", "outside_count", "outside_value")


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
