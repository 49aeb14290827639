"""A portfolio in a region with a forecast, and the clients who may ask about it."""

from collections.abc import Generator

import pytest
from django.test import Client

from riskplatform.api.keys.models import Organisation, Scope
from scoring.models import Forecast, Portfolio, Region
from scoring.selectors.assessment_inputs import forget_inputs
from tests.support.factories import (
    make_client,
    make_organisation,
    make_portfolio,
    make_region,
)
from tests.support.forecasts_with_events import make_forecast_with_events

READING = (Scope.PORTFOLIOS_READ, Scope.SCORES_READ)


@pytest.fixture(autouse=True)
def empty_caches() -> Generator[None]:
    yield
    forget_inputs()


@pytest.fixture
def client(acme: Organisation) -> Client:
    return make_client(acme, scopes=READING)


@pytest.fixture
def other_client(db: None) -> Client:
    return make_client(make_organisation("other"), scopes=READING)


@pytest.fixture
def chicago(acme: Organisation) -> Region:
    return make_region(is_public=False, owner=acme)


@pytest.fixture
def forecast(chicago: Region) -> Forecast:
    return make_forecast_with_events(chicago)


@pytest.fixture
def portfolio(acme: Organisation, forecast: Forecast) -> Portfolio:
    """Give seven assets of 1,000 dollars in seven cells."""
    return make_portfolio(acme, n_assets=7)
