"""A client with a key, a region that the directory knows, and an empty store."""

from collections.abc import Callable, Generator, Sequence
from typing import cast

import numpy as np
import orjson
import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from numpy.typing import NDArray

from analytics import placement
from analytics.grid import RegionGrid
from analytics.inbox.backlog import forget_backlog
from analytics.models import Event
from analytics.shipping.shipper import ShippingReport, ship_due
from riskplatform.api.keys.models import Organisation
from riskplatform.api.keys.services import issue_key
from tests.ingestion.events import CHICAGO, Json

NEAR_DEGREES = 1.0
Post = Callable[..., HttpResponse]


class OneRegion:
    """Knows Chicago, and that whatever lies near its centre lies within."""

    def find(self, slug: str) -> RegionGrid | None:
        return CHICAGO if slug == CHICAGO.slug else None

    def place(
        self, lat: NDArray[np.float64], lon: NDArray[np.float64]
    ) -> Sequence[str | None]:
        distance = np.hypot(lat - 41.8, lon + 87.6)
        return [CHICAGO.slug if near else None for near in distance < NEAR_DEGREES]


@pytest.fixture(autouse=True)
def one_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "_registered", [OneRegion()])


@pytest.fixture(autouse=True)
def fresh_backlog() -> Generator[None]:
    forget_backlog()
    yield
    forget_backlog()


@pytest.fixture
def acme(db: None) -> Organisation:
    return Organisation.objects.create(slug="acme", name="Acme")


@pytest.fixture
def key(acme: Organisation) -> str:
    issued = issue_key(acme, name="feed", scopes=["events:write"])
    return issued.text.text


@pytest.fixture
def post(key: str) -> Post:
    def send(
        body: bytes | Sequence[Json],
        *,
        query: str = "",
        content_type: str = "application/json",
        **headers: str,
    ) -> HttpResponse:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        response = Client().post(
            f"/api/v1/events{query}",
            data=content,
            content_type=content_type,
            headers={"Authorization": f"Bearer {key}", **headers},
        )
        return cast("HttpResponse", response)

    return send


@pytest.fixture
def empty_store(db: None) -> Generator[None]:
    _truncate()
    yield
    _truncate()


@pytest.fixture
def ship() -> Callable[[], ShippingReport]:
    return ship_due


def _truncate() -> None:
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute("TRUNCATE TABLE analytics_event")
    assert not Event.objects.exists()
