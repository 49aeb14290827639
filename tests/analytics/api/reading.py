"""Those who read events: a client with a key, regions to read, events in them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.test import Client
from numpy.typing import NDArray

from analytics.grid import RegionGrid
from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from riskplatform.api.keys.access import Ownership
from riskplatform.api.keys.models import Organisation
from riskplatform.api.keys.services import issue_key

START = datetime(2026, 1, 1, tzinfo=UTC)
CHICAGO = RegionGrid(slug="chicago", resolution=8, timezone="UTC")
SECRET = RegionGrid(slug="secret", resolution=8, timezone="UTC")
JANUARY = "from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z"
Ask = Callable[..., Any]


class TwoRegions:
    """Knows a public region and one that is not."""

    def find(self, slug: str) -> RegionGrid | None:
        return {grid.slug: grid for grid in (CHICAGO, SECRET)}.get(slug)

    def find_ownership(self, slug: str) -> Ownership | None:
        known = {
            CHICAGO.slug: Ownership(owner_id=None, is_public=True),
            SECRET.slug: Ownership(owner_id=None, is_public=False),
        }
        return known.get(slug)

    def place(
        self, lat: NDArray[np.float64], lon: NDArray[np.float64]
    ) -> Sequence[str | None]:
        return [None] * len(lat if lon.size else lon)


def make_reader(prefix: str) -> Ask:
    """Give a new organisation a key, and the function that asks with it."""
    acme = Organisation.objects.create(slug="acme", name="Acme")
    issued = issue_key(acme, name="reader", scopes=["scores:read"])

    def get(path: str, **headers: str) -> Any:
        shown = {"X-API-Key": issued.text.text, **headers}
        return Client().get(f"/api/v1/{prefix}{path}", headers=shown)

    return get


def put(
    count: int, *, source: str = "city", event_type: str = "theft", by: str = "hand"
) -> None:
    """Store events, two in each second, a third of them in another cell."""
    numbers = np.arange(count)
    events = EventColumns(
        occurred_ms=int(START.timestamp() * 1_000) + numbers // 2 * 1_000,
        lat=np.where(numbers % 3 == 0, 41.8, 41.9),
        lon=np.full(count, -87.6),
        external_id=[f"{source}-{number:03d}" for number in range(count)],
        event_type=event_type,
        severity=np.where(numbers % 2 == 0, np.nan, 1.5),
        attributes=[{"by": by}] * count,
    )
    store_events(events, grid=CHICAGO, source=source, now=START + timedelta(days=1))
