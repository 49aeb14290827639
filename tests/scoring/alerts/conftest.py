"""An organisation with a key, another one, and a region with forecasts."""

import pytest
from django.test import Client

from riskplatform.api.keys.models import Organisation, Scope
from scoring.models import Alert, Region
from scoring.services.alerts.evaluation import evaluate_rules
from tests.scoring.alerts.watching import line_of_cells, make_rule, publish
from tests.support.factories import make_client, make_organisation


@pytest.fixture
def client(acme: Organisation) -> Client:
    return make_client(acme, scopes=[Scope.SCORES_READ, Scope.ALERTS_WRITE])


@pytest.fixture
def other_client(db: None) -> Client:
    return make_client(make_organisation("other"))


@pytest.fixture
def alert(region: Region, acme: Organisation) -> Alert:
    make_rule(region, organisation=acme)
    one, two = line_of_cells(2)
    evaluate_rules(publish(region, {one: 0.6, two: 0.9}))
    return Alert.objects.get()
