"""The rows of a shipment, the same at every attempt, as columns for ClickHouse."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, cast

import orjson
from django.db.models import QuerySet

from analytics.degrees import unit_of
from analytics.models import EventSource, InboxEvent, Shipment

FIELDS = (
    *("pk", "source_id", "external_id", "version", "is_retracted", "region", "cell"),
    *("occurred_ms", "received_ms", "lat", "lon", "event_type", "severity", "amount"),
    *("attributes", "previous_region", "previous_cell", "previous_occurred_ms"),
)
COLUMNS = (
    *("region", "cell", "occurred_at", "ingested_at", "event_type", "source"),
    *("external_id", "lat_e7", "lon_e7", "severity", "amount", "attributes"),
    *("version", "is_deleted"),
)


class ShippedRow(NamedTuple):
    """One accepted event: its key in the inbox, and what it is in ClickHouse.

    That is one row; two, where the version before stood elsewhere in the order.
    """

    event_id: int
    entries: tuple[tuple[object, ...], ...]


def read_rows(shipment: Shipment) -> list[ShippedRow]:
    """Read the rows in an order that is the same at every attempt."""
    batch_ids = list(shipment.batches.order_by().values_list("pk", flat=True))
    events = InboxEvent.objects.filter(batch__in=batch_ids)
    return rows_of(events.order_by("batch_id", "row_index"))


def rows_of(events: QuerySet[InboxEvent]) -> list[ShippedRow]:
    rows = list(events.values_list(*FIELDS))
    names = _source_names({source_id for _, source_id, *_ in rows})
    return [_shipped(names[source_id], key, rest) for key, source_id, *rest in rows]


def columns_of(rows: Sequence[ShippedRow]) -> dict[str, Sequence[object]]:
    entries = [entry for row in rows for entry in row.entries]
    return dict(zip(COLUMNS, zip(*entries, strict=True), strict=True))


def _source_names(source_ids: Collection[int]) -> dict[int, str]:
    """Name sources so that those of two organisations cannot be confused."""
    sources = EventSource.objects.filter(pk__in=source_ids)
    named = sources.values_list("pk", "organisation__slug", "name")
    return {key: f"{owner}/{name}" for key, owner, name in named}


def _shipped(source: str, event_id: int, values: Sequence[object]) -> ShippedRow:
    external_id, version, is_retracted, *place, occurred_ms, received_ms = values[:7]
    lat, lon, event_type, severity, amount, attributes, *left = values[7:]
    known = orjson.loads(str(attributes)) if attributes else {}
    told = (
        *(received_ms, event_type, source, external_id),
        *(unit_of(cast("float", lat)), unit_of(cast("float", lon))),
        *(severity, amount, known, version),
    )
    entry = (*place, occurred_ms, *told, int(bool(is_retracted)))
    has_moved = left[-1] is not None
    entries = (entry, (*left, *told, 1)) if has_moved else (entry,)
    return ShippedRow(event_id, entries)
