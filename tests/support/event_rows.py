"""Makers of rows of events, of the inbox, and of the tables in ClickHouse."""

from uuid import uuid4

import numpy as np

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from analytics.models import (
    EventSource,
    ImportRun,
    ImportSource,
    InboxEvent,
    IngestBatch,
    ParkedEvent,
    Shipment,
)
from analytics.store.ledger import (
    FIGURES,
    ForecastKey,
    record_forecast,
    record_outcomes,
)
from analytics.store.rollups import refresh_rollups
from riskplatform.api.keys.models import Organisation
from tests.support.chicago import CHICAGO, NOW
from tests.support.domain_rows import owner

DAY_MS = 86_400_000


def shipment(number: int) -> Shipment:
    return Shipment.objects.create(row_count=number)


def batch(number: int, organisation: Organisation | None = None) -> IngestBatch:
    return IngestBatch.objects.create(
        post=uuid4(),
        organisation=organisation or owner(number),
        received_at=NOW,
        row_count=1,
        accepted_count=1,
        duplicate_count=0,
        refused_count=0,
        shipment=shipment(number),
    )


def parked(number: int) -> None:
    made = batch(number)
    source = EventSource.objects.create(organisation=made.organisation, name="police")
    event = InboxEvent.objects.create(
        batch=made,
        source=source,
        row_index=0,
        external_id=f"e{number}",
        version=1,
        is_retracted=False,
        region="chicago",
        cell=1,
        occurred_ms=0,
        received_ms=0,
        lat=0.0,
        lon=0.0,
        event_type="theft",
        attributes="",
        previous_region="",
    )
    ParkedEvent.objects.create(event=event, reason="The store refused it.")


def import_source(number: int) -> None:
    ImportSource.objects.create(name=f"source-{number}", column_map="lat=Y,lon=X")


def import_run(number: int) -> None:
    ImportRun.objects.create(
        source="police",
        region="chicago",
        file=f"{number}.csv",
        file_bytes=1,
        file_digest=f"{number:064x}",
        fingerprint="f",
    )


def event(number: int) -> None:
    columns = EventColumns(
        occurred_ms=np.array([number * DAY_MS]),
        lat=np.array([41.8]),
        lon=np.array([-87.6]),
        external_id=[f"e{number}"],
        event_type=f"theft {number}",
    )
    store_events(columns, grid=CHICAGO, source="police", now=NOW)


def rollup(number: int) -> None:
    event(number)
    refresh_rollups()


def ledgered(number: int) -> None:
    """Record one cell and one outcome of a forecast."""
    key = ForecastKey(forecast_id=uuid4(), region="chicago", issued_for=NOW)
    cells = np.array([number + 1], dtype=np.uint64)
    arrays = dict.fromkeys(FIGURES, np.ones(1))
    record_forecast(key, cells, arrays, model_version="v", horizon_s=86_400)
    record_outcomes(key, cells, np.array([number]), observed_at=NOW)
