"""Facts in ClickHouse, and the inbox through which they get there."""

from analytics.models.event import Event
from analytics.models.imports import ImportRun, ImportSource
from analytics.models.inbox import (
    EventSource,
    InboxEvent,
    IngestBatch,
    ParkedEvent,
    RefusedEvent,
    SettledEvent,
    Shipment,
)
from analytics.models.ledger import ForecastCell, ForecastOutcome
from analytics.models.rollups import EventCellDay, EventDay, EventHour

__all__ = [
    "Event",
    "EventCellDay",
    "EventDay",
    "EventHour",
    "EventSource",
    "ForecastCell",
    "ForecastOutcome",
    "ImportRun",
    "ImportSource",
    "InboxEvent",
    "IngestBatch",
    "ParkedEvent",
    "RefusedEvent",
    "SettledEvent",
    "Shipment",
]
