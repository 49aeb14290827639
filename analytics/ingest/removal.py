"""Removes all that is known of a region's events, here and in ClickHouse."""

from collections.abc import Mapping

from django.db import transaction

from analytics.errors import EventsWaitingError
from analytics.models import (
    EventSource,
    ImportRun,
    InboxEvent,
    IngestBatch,
    ParkedEvent,
    SettledEvent,
)
from analytics.store.clickhouse import fetch_rows, run_statement
from analytics.store.event_changes import changing_events

TABLES = ("analytics_event", "analytics_forecastcell", "analytics_forecastoutcome")
COUNT = "SELECT count() FROM {table} WHERE region = %(region)s"
DELETE = "DELETE FROM {table} WHERE region = %(region)s"


def count_events(region: str) -> Mapping[str, int]:
    """Count the rows of a region in each table of ClickHouse."""
    counts = {}
    for table in TABLES:
        sql = COUNT.format(table=table)
        ((counts[table],),) = fetch_rows("region_count", sql, {"region": region})
    return counts


def remove_events(region: str) -> None:
    """Remove the events of a region, and what distinguishes them from new ones.

    Rollups are computed again from what is left. Safe to repeat.

    Raises
    ------
    EventsWaitingError
        Some are on their way to ClickHouse, and would arrive afterwards.
    """
    waiting = InboxEvent.objects.filter(
        region=region, batch__in=IngestBatch.objects.waiting()
    )
    if waiting.exists():
        raise EventsWaitingError(
            f"Events of the region {region!r} wait to be stored. Run manage.py"
            " ship_events --once, then repeat this.",
            region=region,
        )
    with changing_events([region]):
        for table in TABLES:
            sql = DELETE.format(table=table)
            run_statement("region_delete", sql, {"region": region})
    _forget(region)


@transaction.atomic
def _forget(region: str) -> None:
    ParkedEvent.objects.filter(event__region=region).delete()
    for table in (InboxEvent.objects, SettledEvent.objects, ImportRun.objects):
        table.filter(region=region).delete()
    for source in EventSource.objects.select_for_update().order_by("name", "pk"):
        if region in source.file_regions:
            source.file_regions = [it for it in source.file_regions if it != region]
            source.save(update_fields=("file_regions",))
