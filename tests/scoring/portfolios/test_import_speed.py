"""A hundred thousand assets come in by one request."""

import random
from collections.abc import Iterator

import pytest
from django.test import Client

from riskplatform.api.keys.models import Organisation
from scoring.selectors.exposures import load_exposure
from tests.support.factories import CENTRE, make_portfolio, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

ROWS = 100_000


def pieces() -> Iterator[bytes]:
    chance = random.Random(1)  # noqa: S311 - places of a test
    yield b"id,lat,lon,value,currency,name,deductible,limit\n"
    for number in range(ROWS):
        lat = CENTRE[0] + chance.uniform(-0.3, 0.3)
        lon = CENTRE[1] + chance.uniform(-0.3, 0.3)
        value = chance.uniform(1e3, 1e6)
        row = f"L{number},{lat:.6f},{lon:.6f},{value:.2f},USD,Shop {number},100,50000\n"
        yield row.encode()


def test_a_hundred_thousand_assets_come_in_and_are_exposed(
    client: Client, acme: Organisation
) -> None:
    region = make_region(rings=20)
    portfolio = make_portfolio(acme)
    address = f"/api/v1/portfolios/{portfolio.pk}/assets/import"

    response = client.post(address, b"".join(pieces()), "text/csv")

    assert response.status_code == 201
    done = response.json()
    assert (done["created"], done["portfolio"]["asset_count"]) == (ROWS, ROWS)
    exposure = load_exposure(portfolio, region)
    assert len(exposure) + done["outside"]["count"] == ROWS
    assert exposure.outside_count == done["outside"]["count"]
