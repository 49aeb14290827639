"""Facts in ClickHouse, and the inbox through which they get there."""

from analytics.models.event import Event, EventQuerySet
from analytics.models.inbox import (
    EventSource,
    InboxEvent,
    IngestBatch,
    ParkedEvent,
    RefusedEvent,
)
from analytics.models.shipment import Shipment

__all__ = [
    "Event",
    "EventQuerySet",
    "EventSource",
    "InboxEvent",
    "IngestBatch",
    "ParkedEvent",
    "RefusedEvent",
    "Shipment",
]
