"""What files brought of the events that a POST sends: sources are one namespace.

An import writes to ClickHouse alone, so the inbox does not know its events. It looks
them up where a file brought events of the source; for other sources it asks nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from analytics.grid import degrees_of, unit_of
from analytics.inbox.event_input import in_field
from analytics.inbox.versions import (
    BlockOutcome,
    EventValues,
    RefusedRow,
    ValidEvent,
    Version,
)
from analytics.ingest.rules import OF_THE_INSTALLATION
from analytics.models import EventSource
from analytics.store.clickhouse import LOOKUP, SqlValue, fetch_rows, joined

FIND_FILED = """
SELECT external_id, region, toUnixTimestamp64Milli(occurred_at), lat_e7, lon_e7,
    event_type, severity, amount, attributes,
    cell, toUnixTimestamp64Milli(ingested_at), version, is_deleted
FROM analytics_event
WHERE region IN (SELECT arrayJoin(splitByChar('\\0', %(regions)s)))
    AND source = %(source)s
    AND external_id IN (SELECT arrayJoin(splitByChar('\\0', %(ids)s)))
ORDER BY version DESC, is_deleted
LIMIT 1 BY external_id
"""


class Filed(NamedTuple):
    """An event as ClickHouse has it; places are whole numbers of its units."""

    version: Version
    units: tuple[int, int]

    def says(self, event: ValidEvent) -> bool:
        """Say whether it is what an event says, to the precision that is stored."""
        here, there = self.version.known_values, event.values
        is_same_place = self.units == (unit_of(there[1]), unit_of(there[2]))
        is_same_rest = (here[0], *here[3:]) == (there[0], *there[3:])
        is_there = event.is_placed or event.region == self.version.region
        return is_same_place and is_same_rest and is_there

    def as_sent(self, event: ValidEvent) -> Version:
        """Give the version, in the very numbers of an event that says the same."""
        is_same = not event.is_retracted and self.says(event)
        return self.version._replace(values=event.values) if is_same else self.version


def find_filed(
    source: EventSource, events: Iterable[ValidEvent]
) -> Mapping[str, Filed]:
    """Find the events that are stored under the name of a source of files."""
    ids = [event.external_id for event in events]
    if not source.file_regions or not ids:
        return {}
    params: dict[str, SqlValue] = {
        "regions": joined(source.file_regions),
        "source": source.stored_name,
        "ids": joined(ids),
    }
    rows = fetch_rows("events_find_filed", FIND_FILED, params, budget=LOOKUP)
    return {external_id: _filed(rest) for external_id, *rest in rows}


def with_filed(
    known: Mapping[str, Sequence[Version]],
    filed: Mapping[str, Filed],
    events: Iterable[ValidEvent],
) -> dict[str, Sequence[Version]]:
    """Add what files brought to the histories of events that have none."""
    histories = dict(known)
    for event in events:
        found = filed.get(event.external_id)
        if found is not None and not known.get(event.external_id):
            earlier = histories.get(event.external_id)
            if earlier is None or found.says(event):
                histories[event.external_id] = [found.as_sent(event)]
    return histories


def without_filed(
    events: Iterable[ValidEvent], filed: Mapping[str, Filed], outcome: BlockOutcome
) -> list[ValidEvent]:
    """Leave out what files of the installation brought, which nobody else corrects."""
    left: list[ValidEvent] = []
    for event in events:
        found = filed.get(event.external_id)
        is_theirs = found is not None and (
            event.is_retracted
            or event.is_placed
            or event.region == found.version.region
        )
        if found is None or not is_theirs or found.version.is_retracted:
            left.append(event)
        elif not event.is_retracted and found.says(event):
            outcome.duplicate_count += 1
        else:
            fault = in_field("external_id", OF_THE_INSTALLATION)
            refused = RefusedRow(event.row_index, event.source, fault)
            outcome.refused.append(refused)
    return left


def _filed(row: Sequence[Any]) -> Filed:
    region, occurred_ms, lat, lon, event_type, severity, amount, attributes = row[:8]
    cell, ingested_ms, number, is_retracted = row[8:]
    written = orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS).decode()
    values: EventValues = (
        *(occurred_ms, degrees_of(lat), degrees_of(lon), event_type),
        *(severity, amount, written if attributes else ""),
    )
    position = (region, cell, occurred_ms)
    version = Version(number, ingested_ms, bool(is_retracted), *position, values)
    return Filed(version, (lat, lon))
