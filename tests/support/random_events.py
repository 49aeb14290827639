"""Events of a small region, stored in ClickHouse."""

from datetime import UTC, datetime, timedelta

import numpy as np

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from scoring.models import Region
from scoring.selectors.regions import get_region_grid

START = datetime(2023, 1, 1, tzinfo=UTC)
DAYS = 200


def store_random_events(
    region: Region, *, count: int = 600, seed: int = 1, with_severity: bool = False
) -> None:
    """Store events in the region's cells, most of them in few cells."""
    rng = np.random.default_rng(seed)
    centres = np.array(region.cells.values_list("lat", "lon"))
    rates = rng.gamma(0.5, size=len(centres))
    chosen = centres[rng.choice(len(centres), size=count, p=rates / rates.sum())]
    seconds = np.sort(rng.uniform(0, DAYS * 86_400, size=count))
    events = EventColumns(
        occurred_ms=(1_000 * (START.timestamp() + seconds)).astype(np.int64),
        lat=chosen[:, 0],
        lon=chosen[:, 1],
        severity=rng.gamma(2.0, size=count) if with_severity else None,
    )
    store_events(
        events,
        grid=get_region_grid(region),
        source="test",
        now=START + timedelta(days=DAYS + 1),
    )
