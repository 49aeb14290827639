"""Ships parked events again, once what ClickHouse would not take has been changed."""

from collections.abc import Sequence

from analytics.models import InboxEvent, ParkedEvent
from analytics.shipping.delivery import deliver
from analytics.shipping.rows import rows_of
from riskplatform.kernel.ids import uuid7


def ship_parked(parked: Sequence[ParkedEvent]) -> int:
    """Try parked events again; give how many ClickHouse still will not take.

    Sent twice, an event is one: the store keeps one row of an event's version.
    """
    ids = [row.event_id for row in parked]
    events = InboxEvent.objects.filter(pk__in=ids).order_by("pk")
    still = {row.event_id for row in deliver(rows_of(events), token=str(uuid7()))}
    ParkedEvent.objects.filter(event__in=set(ids) - still).delete()
    return len(still)
