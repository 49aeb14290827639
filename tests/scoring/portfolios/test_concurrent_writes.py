"""Writes at the same time: totals stay true, and no asset misses its place."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import h3.api.basic_int as h3
import pytest
from django.db import connections
from django.db.models import Sum

from scoring.errors import AssetReferenceTakenError
from scoring.models import Asset, AssetPlace, Portfolio
from scoring.services.portfolios.asset_import import ImportOptions, import_assets
from scoring.services.portfolios.portfolios import delete_asset
from scoring.services.regions import add_cells
from tests.support.factories import CENTRE, make_asset, make_portfolio, make_region

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.databases]

ROUNDS = 8


def at_once(*tasks: Callable[[], Any]) -> list[Any]:
    """Run tasks at the same moment; gives what they return or raise."""
    barrier = Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        barrier.wait(timeout=30)
        try:
            return task()
        except AssetReferenceTakenError as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def check_totals(portfolio: Portfolio) -> None:
    portfolio.refresh_from_db()
    assets = Asset.objects.filter(portfolio=portfolio)
    total = assets.aggregate(total=Sum("value"))["total"] or 0
    assert portfolio.asset_count == assets.count()
    assert portfolio.total_value == total
    assert portfolio.outside_count == assets.outside().count()


def test_no_asset_falls_between_a_region_and_a_portfolio_that_grow() -> None:
    region = make_region(rings=0)
    portfolio = make_portfolio()
    ring = h3.grid_ring(h3.latlng_to_cell(*CENTRE, region.resolution), 4)
    for number in range(ROUNDS):
        cell = ring[number]
        lat, lon = h3.cell_to_latlng(cell)
        rows = f"id,lat,lon,value\nf-{number},{lat},{lon},1\n".encode()
        at_once(
            partial(make_asset, portfolio, f"a-{number}", lat=lat, lon=lon),
            partial(add_cells, region, [cell]),
            partial(import_assets, portfolio, [rows], options=ImportOptions()),
        )
    assert AssetPlace.objects.count() == Asset.objects.count() == 2 * ROUNDS
    check_totals(portfolio)
    assert portfolio.outside_count == 0


def test_two_that_add_the_same_reference_make_one_asset() -> None:
    portfolio = make_portfolio()
    results = at_once(*[partial(make_asset, portfolio, "same")] * 4)
    assert sum(isinstance(result, Asset) for result in results) == 1
    check_totals(portfolio)


def test_totals_are_true_after_adding_and_deleting_at_once() -> None:
    make_region()
    portfolio = make_portfolio(n_assets=ROUNDS)
    doomed = list(Asset.objects.select_related("portfolio__organisation"))
    for number, asset in enumerate(doomed):
        at_once(
            partial(delete_asset, asset),
            partial(make_asset, portfolio, f"new-{number}", value="3.5"),
        )
    check_totals(portfolio)
    assert (portfolio.asset_count, portfolio.revision) == (ROUNDS, 1 + 3 * ROUNDS)
