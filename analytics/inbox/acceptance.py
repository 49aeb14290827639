"""Writes validated rows to the inbox: one batch, one transaction, each event once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connections, router, transaction
from django.db.models import Q

from analytics.inbox.bulk import Value, insert_rows
from analytics.inbox.filed import find_filed, with_filed, without_filed
from analytics.inbox.versions import (
    BlockOutcome,
    EventValues,
    NewVersion,
    RefusedRow,
    ValidEvent,
    Version,
    compare_versions,
)
from analytics.metrics import INBOX_EVENTS
from analytics.models import EventSource, InboxEvent, IngestBatch, RefusedEvent
from analytics.store.clickhouse import to_milliseconds
from perf.jobs.wakeup import call
from riskplatform.api.keys.models import Organisation

# Wakes the loop of the worker that ships.
CHANNEL = "analytics_inbox"
MAX_REASON_CHARS = 300
EVENT_COLUMNS = (
    *("batch_id", "source_id", "row_index", "external_id", "version"),
    *("received_ms", "is_retracted", "region", "cell"),
    *("occurred_ms", "lat", "lon", "event_type", "severity", "amount", "attributes"),
    *("previous_region", "previous_cell", "previous_occurred_ms"),
)
REFUSED_COLUMNS = (
    *("batch_id", "organisation_id", "source", "row_index", "code", "reason"),
)
FIND_VERSIONS = """
SELECT external_id, version, received_ms, is_retracted, region, cell,
    occurred_ms, lat, lon, event_type, severity, amount, attributes
FROM analytics_inboxevent
WHERE source_id = %s AND external_id {is_one_of}
"""
HAS_SETTLED = """
SELECT 1 FROM analytics_settledevent WHERE source_id = %s LIMIT 1
"""
FIND_SETTLED = """
SELECT external_id, version, received_ms, is_retracted, region, cell,
    occurred_ms, facts_digest
FROM analytics_settledevent
WHERE source_id = %s AND external_id {is_one_of}
"""
# Both take the ids as one JSON array: parameters are few, and it is quickly written.
IS_ONE_OF = {
    "postgresql": "= ANY(ARRAY(SELECT json_array_elements_text(%s)))",
    "sqlite": "IN (SELECT value FROM json_each(%s))",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One POST, of which each block of rows becomes a batch."""

    id: UUID
    organisation: Organisation
    received_at: datetime


@transaction.atomic
def accept_block(
    post: Post,
    events: Sequence[ValidEvent],
    refused: Sequence[RefusedRow],
    *,
    first_index: int,
) -> BlockOutcome:
    """Write a block; when the transaction has ended its events cannot be lost.

    Blocks of one source wait for one another, so that of two that bring the same
    event at the same time the second one finds it.
    """
    outcome = BlockOutcome(refused=list(refused))
    received_ms = to_milliseconds(post.received_at)
    sources = _locked_sources(post.organisation, events)
    for source, sent in sources.mine.items():
        events_of_files = find_filed(sources.of_files[source.name], sent)
        left = without_filed(sent, events_of_files, outcome)
        histories = _histories(source, left)
        part = compare_versions(left, histories, received_ms=received_ms)
        outcome.accepted += part.accepted
        outcome.refused += part.refused
        outcome.duplicate_count += part.duplicate_count
    outcome.refused.sort()
    # The database checks that every row is counted.
    batch = IngestBatch.objects.create(
        post=post.id,
        organisation=post.organisation,
        received_at=post.received_at,
        first_index=first_index,
        row_count=len(events) + len(refused),
        accepted_count=len(outcome.accepted),
        duplicate_count=outcome.duplicate_count,
        refused_count=len(outcome.refused),
    )
    ids = {source.name: source.pk for source in sources.mine}
    insert_rows(InboxEvent, EVENT_COLUMNS, _event_rows(batch, ids, outcome.accepted))
    if outcome.refused:
        rows = _refused_rows(batch, outcome.refused)
        insert_rows(RefusedEvent, REFUSED_COLUMNS, rows)
    if outcome.accepted:
        call(CHANNEL)
    transaction.on_commit(partial(_count, batch))
    return outcome


def _histories(
    source: EventSource, events: Sequence[ValidEvent]
) -> Mapping[str, Sequence[Version]]:
    """Find the versions of events, in the inbox or else where files brought them."""
    known = _find_versions(source, [event.external_id for event in events])
    new = [event for event in events if event.external_id not in known]
    return with_filed(known, find_filed(source, new), new)


class Sources(NamedTuple):
    """The events of each source of an organisation, and where files bring the same.

    `of_files` are sources of the installation by their names.
    """

    mine: dict[EventSource, list[ValidEvent]]
    of_files: defaultdict[str, EventSource]


def _locked_sources(
    organisation: Organisation, events: Iterable[ValidEvent]
) -> Sources:
    """Group rows by source, and lock the sources in one order for everybody."""
    by_name: defaultdict[str, list[ValidEvent]] = defaultdict(list)
    for event in events:
        by_name[event.source].append(event)
    is_mine = Q(organisation=organisation)
    named = EventSource.objects.filter(is_mine | Q(organisation=None), name__in=by_name)
    lockable = named.select_for_update(no_key=True).order_by("name", "pk")
    found = list(lockable)
    if sum(source.organisation_id is not None for source in found) < len(by_name):
        names = sorted(by_name)
        new = [EventSource(organisation=organisation, name=name) for name in names]
        EventSource.objects.bulk_create(new, ignore_conflicts=True)
        found = list(lockable.all())
    sources = Sources({}, defaultdict(EventSource))
    for source in found:
        if source.organisation_id is None:
            sources.of_files[source.name] = source
        else:
            # The slug is known: it takes no query to name the source.
            source.organisation = organisation
            sources.mine[source] = by_name[source.name]
    return sources


def _find_versions(
    source: EventSource, ids: Sequence[str]
) -> Mapping[str, Sequence[Version]]:
    connection = connections[router.db_for_read(InboxEvent)]
    is_one_of = IS_ONE_OF[connection.vendor]
    wanted = orjson.dumps(ids).decode()
    versions: defaultdict[str, list[Version]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(FIND_VERSIONS.format(is_one_of=is_one_of), [source.pk, wanted])
        for row in cursor.fetchall():
            versions[row[0]].append(_version(row, values=tuple(row[6:])))
        # After the others: what is pruned meanwhile is then found twice, not never.
        cursor.execute(HAS_SETTLED, [source.pk])
        if cursor.fetchone() is not None:
            sql = FIND_SETTLED.format(is_one_of=is_one_of)
            cursor.execute(sql, [source.pk, wanted])
            for row in cursor.fetchall():
                versions[row[0]].append(_version(row, values=bytes(row[7])))
    for history in versions.values():
        history.sort(key=attrgetter("number"))
    return versions


def _version(row: Sequence[Any], *, values: EventValues | bytes) -> Version:
    number, received_ms, is_retracted, region, cell, occurred_ms = row[1:7]
    return Version(
        *(number, received_ms, bool(is_retracted), region, cell, occurred_ms), values
    )


def _event_rows(
    batch: IngestBatch, source_ids: Mapping[str, int], accepted: Iterable[NewVersion]
) -> Iterator[Sequence[Value]]:
    batch_id = _as_stored(batch.pk)
    for event, version, previous in accepted:
        number, received_ms, is_retracted, region, cell, *_ = version
        left: tuple[str, int | None, int | None] = ("", None, None)
        if previous is not None and previous.position != version.position:
            left = previous.position
        yield (
            *(batch_id, source_ids[event.source], event.row_index, event.external_id),
            *(number, received_ms, is_retracted, region, cell),
            *(*version.known_values, *left),
        )


def _refused_rows(
    batch: IngestBatch, refused: Iterable[RefusedRow]
) -> Iterator[Sequence[Value]]:
    batch_id = _as_stored(batch.pk)
    for row_index, source, fault in refused:
        reason = fault.reason.replace("\0", "")[:MAX_REASON_CHARS]
        yield (
            *(batch_id, batch.organisation_id, source, row_index),
            *(fault.code.value, reason),
        )


def _as_stored(key: UUID) -> UUID | str:
    connection = connections[router.db_for_write(IngestBatch)]
    return key if connection.features.has_native_uuid_field else key.hex


def _count(batch: IngestBatch) -> None:
    INBOX_EVENTS.labels("accepted").inc(batch.accepted_count)
    INBOX_EVENTS.labels("duplicate").inc(batch.duplicate_count)
    INBOX_EVENTS.labels("refused").inc(batch.refused_count)
