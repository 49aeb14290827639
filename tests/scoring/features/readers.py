"""Clients that may read scores, and the events of the region that they ask about."""

from datetime import timedelta
from typing import Any

from django.test import Client

from riskplatform.api.keys.models import Scope
from tests.support.factories import make_client, make_organisation
from tests.support.random_events import DAYS, START

# The events of the tests arrive a day after the last of them.
ARRIVED = START + timedelta(days=DAYS + 1)


def make_reader() -> Client:
    return make_client(make_organisation(), scopes=[Scope.SCORES_READ])


def get_snapshot(client: Client, **changes: Any) -> Any:
    query = {"region": "chicago", "time": ARRIVED.isoformat()} | changes
    return client.get("/api/v1/features/snapshot", query)


def post_windows(client: Client, **changes: Any) -> Any:
    body = {"region": "chicago", "time": ARRIVED.isoformat()} | changes
    return client.post(
        "/api/v1/features/build-window",
        {name: value for name, value in body.items() if value is not None},
        content_type="application/json",
    )
