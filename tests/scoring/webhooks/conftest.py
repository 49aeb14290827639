"""An organisation that may manage webhooks, and a receiver on this machine."""

from collections.abc import Generator

import pytest
from django.test import Client
from pytest_django import Settings

from riskplatform.api.keys.models import Organisation, Scope
from tests.scoring.webhooks.receiver import Receiver, receiving
from tests.support.factories import make_client, make_organisation


@pytest.fixture
def client(acme: Organisation) -> Client:
    return make_client(acme, scopes=[Scope.ALERTS_WRITE])


@pytest.fixture
def other_client(db: None) -> Client:
    return make_client(make_organisation("other"))


@pytest.fixture
def receiver(settings: Settings) -> Generator[Receiver]:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    settings.WEBHOOK_TIMEOUT_S = 1
    with receiving() as told:
        yield told
