"""A portfolio with assets, a forecast and events around it."""

import pytest
from django.test import Client

from riskplatform.api.keys.models import Organisation, Scope
from scoring.models import Portfolio, Region
from tests.support.factories import (
    make_client,
    make_portfolio,
)


@pytest.fixture
def client(acme: Organisation) -> Client:
    return make_client(acme, scopes=[Scope.PORTFOLIOS_READ, Scope.SCORES_READ])


@pytest.fixture
def portfolio(region: Region, acme: Organisation) -> Portfolio:
    return make_portfolio(acme, n_assets=3)
