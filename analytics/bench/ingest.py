"""Benchmarks of ingestion; `manage.py benchmark --suite ingest` runs them.

They write to the configured databases, under an organisation and a region of their
own, and take away what they wrote.
"""

import itertools
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import orjson
from django.db import connection
from django.test import Client
from django.utils import timezone
from numpy.typing import NDArray

from analytics.grid import RegionGrid
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.importer import ImportPlan, import_file
from analytics.models import Event, EventSource, IngestBatch, Shipment
from analytics.placement import using_directory
from analytics.shipping.shipper import ship_due
from perf.bench.measurement import (
    AnyMeasurement,
    Direction,
    Measurement,
    Meter,
    reported,
)
from perf.bench.registry import registry
from riskplatform.api.keys.access import Ownership
from riskplatform.api.keys.models import Organisation
from riskplatform.api.keys.services import issue_key

GRID = RegionGrid(slug="benchmark-ingest", resolution=8, timezone="UTC")
START = datetime(2025, 1, 1, tzinfo=UTC)
BATCH_ROWS = 1_000
BATCHES = 20
THREADS = 2
FILE_ROWS = 200_000
COLUMN_MAP = (
    "external_id=external_id,occurred_at=occurred_at,lat=lat,lon=lon,"
    "event_type=event_type,severity=severity"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """What one round did, without the making of its input."""

    event_count: int
    seconds: float


EVENTS_PER_S: Meter[Timed] = reported(
    "events/s",
    lambda timed: timed.event_count / timed.seconds,
    direction=Direction.HIGHER,
)


@registry.suite("ingest")
def ingest() -> Iterator[AnyMeasurement]:
    """Events in by the API, on to ClickHouse, and in by a file."""
    with _own_place() as organisation, TemporaryDirectory() as folder:
        feed = _Feed(organisation)
        for threads in (1, THREADS):
            yield _budget(
                f"POST /events, {BATCH_ROWS:,} a body, 1 process, {threads} threads",
                after=partial(feed.post, threads=threads),
                event_count=BATCH_ROWS * BATCHES,
                target=20_000.0,
            )
        yield _budget(
            "inbox to ClickHouse",
            after=feed.ship,
            event_count=BATCH_ROWS * BATCHES,
            target=20_000.0,
        )
        yield _budget(
            "import_events, CSV with ids, 1 process",
            after=_FileImport(Path(folder)).run,
            event_count=FILE_ROWS,
            target=100_000.0,
        )


def _budget(
    name: str, *, after: Callable[[], Timed], event_count: int, target: float
) -> AnyMeasurement:
    return Measurement(
        name=name,
        after=after,
        meter=EVENTS_PER_S,
        check=lambda timed: timed.event_count == event_count,
        target=target,
        repeats=5,
        collects_garbage=True,
    )


class _AnyPlace:
    """Puts every event into the region of the benchmark."""

    def find(self, slug: str) -> RegionGrid | None:
        return GRID if slug == GRID.slug else None

    def find_ownership(self, slug: str) -> Ownership | None:
        known = Ownership(owner_id=None, is_public=False)
        return known if slug == GRID.slug else None

    def place(
        self, lat: NDArray[np.float64], lon: NDArray[np.float64]
    ) -> Sequence[str | None]:
        return [GRID.slug] * len(lon if lat.size else lat)


class _Feed:
    """Posts new events through the whole stack of Django."""

    def __init__(self, organisation: Organisation) -> None:
        key = issue_key(organisation, name="bench", scopes=["events:write"])
        self._client = Client(headers={"host": "127.0.0.1", "x-api-key": key.text.text})
        self._numbers = itertools.count()

    def post(self, *, threads: int) -> Timed:
        bodies = [self._body() for _ in range(BATCHES)]
        with ThreadPoolExecutor(threads) as pool:
            # The threads of a web process have their connections already.
            list(pool.map(lambda _: self._send(self._body()), range(threads)))
            started_s = time.perf_counter()
            accepted = sum(pool.map(self._send, bodies))
            seconds = time.perf_counter() - started_s
            list(pool.map(lambda _: connection.close(), range(threads)))
        return Timed(event_count=accepted, seconds=seconds)

    def ship(self) -> Timed:
        """Ship what one round of posting left, and nothing that was there before."""
        ship_due()
        for _ in range(BATCHES):
            self._send(self._body())
        started_s = time.perf_counter()
        report = ship_due()
        seconds = time.perf_counter() - started_s
        return Timed(event_count=report.event_count, seconds=seconds)

    def _send(self, body: bytes) -> int:
        response = self._client.post(
            "/api/v1/events", body, content_type="application/json", secure=True
        )
        return int(response.json()["accepted"]) if response.status_code == 202 else 0

    def _body(self) -> bytes:
        numbers = itertools.islice(self._numbers, BATCH_ROWS)
        return orjson.dumps([_event(number) for number in numbers])


class _FileImport:
    """Imports files of new events, each of which is written beforehand."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "events.csv"
        self._rounds = itertools.count()

    def run(self) -> Timed:
        first = next(self._rounds) * FILE_ROWS
        _write_csv(self._path, range(first, first + FILE_ROWS))
        plan = ImportPlan(
            column_map=ColumnMap.parse(COLUMN_MAP), grid=GRID, source="benchmark"
        )
        started_s = time.perf_counter()
        report = import_file(self._path, plan=plan, now=timezone.now())
        seconds = time.perf_counter() - started_s
        return Timed(event_count=report.accepted, seconds=seconds)


def _event(number: int) -> dict[str, object]:
    return {
        "external_id": f"event-{number}",
        "occurred_at": (START + timedelta(seconds=number % 30_000_000)).isoformat(),
        "lat": round(41.6 + number % 977 / 2_000, 6),
        "lon": round(-87.9 + number % 991 / 2_000, 6),
        "event_type": f"kind-{number % 12}",
        "severity": number % 70 / 10,
        "attributes": {"reported_by": "sensor"},
    }


def _write_csv(path: Path, numbers: range) -> None:
    events = map(_event, numbers)
    names = ("external_id", "occurred_at", "lat", "lon", "event_type", "severity")
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(names) + "\n")
        file.writelines(
            ",".join(str(event[name]) for name in names) + "\n" for event in events
        )


@contextmanager
def _own_place() -> Generator[Organisation]:
    slug = f"benchmark-{timezone.now():%Y%m%d%H%M%S%f}"
    organisation = Organisation.objects.create(slug=slug, name="Benchmark")
    try:
        with using_directory(_AnyPlace()):
            yield organisation
    finally:
        take_events_away(organisation, region=GRID.slug)
        organisation.delete()


def take_events_away(organisation: Organisation, *, region: str) -> None:
    """Delete what an organisation has sent about a region of its own."""
    sources = EventSource.objects.filter(organisation=organisation)
    with connection.cursor() as cursor:
        # The ORM would read every row first.
        cursor.execute(
            "DELETE FROM analytics_inboxevent WHERE source_id IN"
            " (SELECT id FROM analytics_eventsource WHERE organisation_id = %s)",
            [organisation.pk],
        )
    shipments = Shipment.objects.filter(batches__organisation=organisation)
    shipment_ids = list(shipments.distinct().values_list("pk", flat=True))
    IngestBatch.objects.filter(organisation=organisation).delete()
    Shipment.objects.filter(pk__in=shipment_ids, batches=None).delete()
    sources.delete()
    Event.objects.filter(region=region).delete()
