"""An organisation with a key, another one, and the region they have assets in."""

import pytest
from django.test import Client

from riskplatform.api.keys.models import Organisation, Scope
from tests.support.factories import make_client, make_organisation


@pytest.fixture
def client(acme: Organisation) -> Client:
    return make_client(acme, scopes=[Scope.PORTFOLIOS_READ, Scope.PORTFOLIOS_WRITE])


@pytest.fixture
def other_client(db: None) -> Client:
    return make_client(make_organisation("other"))
