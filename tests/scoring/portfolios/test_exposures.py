"""What a portfolio has at stake in a region, as arrays."""

from decimal import Decimal
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import pytest

from riskplatform.api.keys.models import Organisation
from scoring.selectors.assessment_inputs import find_regions
from scoring.selectors.exposures import load_exposure
from tests.support.factories import (
    CENTRE,
    RESOLUTION,
    make_asset,
    make_portfolio,
    make_region,
    make_vulnerability,
)

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def test_gives_columns_in_the_order_of_asset_ids(acme: Organisation) -> None:
    region = make_region()
    portfolio = make_portfolio(acme)
    curve = make_vulnerability(acme, points=[(0, 0), (2, 0.5), (4, 1)])
    brick = make_asset(portfolio, "brick", value="10.25", vulnerability=curve)
    bare = make_asset(portfolio, "bare", deductible=Decimal(5), limit=Decimal(7))
    make_asset(portfolio, "far", lat=0.0, lon=0.0, value="3.50")

    exposure = load_exposure(portfolio, region)

    expected = sorted([brick, bare], key=lambda asset: asset.pk)
    assert exposure.asset_ids == [asset.pk for asset in expected]
    assert exposure.references == [asset.reference for asset in expected]
    cell = h3.latlng_to_cell(*CENTRE, RESOLUTION)
    assert exposure.cells.tolist() == [cell, cell]
    is_brick = np.array([asset == brick for asset in expected])
    assert exposure.value.tolist() == np.where(is_brick, 10.25, 1000).tolist()
    assert exposure.deductible.tolist() == np.where(is_brick, 0, 5).tolist()
    assert exposure.limit.tolist() == np.where(is_brick, np.inf, 7).tolist()
    assert exposure.vulnerability_index.tolist() == np.where(is_brick, 0, -1).tolist()
    [(severity, ratio)] = exposure.curves
    assert (severity.tolist(), ratio.tolist()) == ([0, 2, 4], [0, 0.5, 1])
    assert (exposure.outside_count, exposure.outside_value) == (1, Decimal("3.50"))


def test_a_portfolio_without_assets_has_an_empty_exposure(acme: Organisation) -> None:
    exposure = load_exposure(make_portfolio(acme), make_region())
    assert len(exposure) == 0
    assert exposure.cells.dtype == np.uint64
    assert (exposure.value.size, exposure.curves) == (0, [])
    assert (exposure.outside_count, exposure.outside_value) == (0, Decimal(0))


@pytest.mark.parametrize("n_assets", [1, 20])
def test_costs_four_queries_for_any_number_of_assets(
    n_assets: int, acme: Organisation, django_assert_num_queries: Any
) -> None:
    region = make_region()
    portfolio = make_portfolio(acme, n_assets=n_assets)
    make_asset(portfolio, "with-curve", vulnerability=make_vulnerability())
    # The placed assets, the curves they use, all assets, and those inside.
    with django_assert_num_queries(4):
        assert len(load_exposure(portfolio, region)) == n_assets + 1


def test_names_the_regions_with_assets(acme: Organisation) -> None:
    make_region("chicago")
    make_region("loop", rings=0)
    portfolio = make_portfolio(acme)
    make_asset(portfolio)
    assert [region.slug for region in find_regions(portfolio)] == ["chicago", "loop"]
