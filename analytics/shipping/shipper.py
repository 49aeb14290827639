"""Ships what waits: claims a shipment, delivers it, and notes the outcome.

A shipment is tried until it is there; every attempt sends the same rows under the
same token.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from django.db import Error, transaction
from django.utils import timezone

from analytics.inbox.backlog import measure_backlog
from analytics.metrics import SHIPPED_EVENTS, SHIPPING_FAILURES, VISIBLE_SECONDS
from analytics.models import InboxEvent, ParkedEvent, Shipment
from analytics.shipping.delivery import MAX_REASON_CHARS, deliver, insert_once
from analytics.shipping.shipments import form_shipments, read_rows, rows_of
from riskplatform.api.structured_log import event_logger
from riskplatform.kernel.errors import UnavailableError
from riskplatform.kernel.heartbeat import heartbeat
from riskplatform.kernel.ids import uuid7

# An insert and what is written down about it take less, or they hang.
INSERT_LIMIT_S = 150.0

logger = logging.getLogger(__name__)
events = event_logger(__name__)


class LeaseLostError(Exception):
    """Another process took a shipment over, because this one was too slow."""


@dataclass(slots=True, kw_only=True)
class ShippingReport:
    shipment_count: int = 0
    event_count: int = 0
    parked_count: int = 0
    has_failed: bool = False


def ship_due() -> ShippingReport:
    """Ship what is due, one shipment after the other, up to the first failure."""
    form_shipments()
    report = ShippingReport()
    queue = Shipment.objects.waiting().order_by("formed_at", "pk")
    while not report.has_failed and (claimed := queue.claim()):
        [shipment] = claimed
        parked = _attempt(shipment)
        if parked is None:
            report.has_failed = True
        else:
            report.shipment_count += 1
            report.event_count += shipment.row_count - len(parked)
            report.parked_count += len(parked)
    measure_backlog()
    return report


def ship_parked(parked: Sequence[ParkedEvent]) -> int:
    """Try parked events again; give how many ClickHouse still will not take.

    Sent twice, an event is one: the store keeps one row of an event's version.
    """
    ids = [row.event_id for row in parked]
    events = InboxEvent.objects.filter(pk__in=ids).order_by("pk")
    still = {row.event_id for row in deliver(rows_of(events), token=str(uuid7()))}
    ParkedEvent.objects.filter(event__in=set(ids) - still).delete()
    return len(still)


def _attempt(shipment: Shipment) -> list[ParkedEvent] | None:
    """Deliver a claimed shipment; None when it has to be tried again."""
    try:
        insert = partial(_insert_holding, shipment)
        delivery = deliver(read_rows(shipment), token=str(shipment.pk), insert=insert)
        parked = list(delivery)
    except LeaseLostError:
        logger.warning("shipment %s was taken over by another process", shipment.pk)
        return None
    except (UnavailableError, Error) as error:
        logger.warning("shipment %s will be tried again: %s", shipment.pk, error)
        SHIPPING_FAILURES.inc()
        shipment.retry_later(last_error=str(error)[:MAX_REASON_CHARS])
        return None
    _acknowledge(shipment, parked)
    events.info(
        "shipment delivered",
        shipment=str(shipment.pk),
        rows=shipment.row_count,
        parked=len(parked),
        attempt=shipment.attempts,
    )
    SHIPPED_EVENTS.labels("stored").inc(shipment.row_count - len(parked))
    SHIPPED_EVENTS.labels("parked").inc(len(parked))
    _observe_times(shipment)
    return parked


def _insert_holding(
    shipment: Shipment, columns: Mapping[str, Sequence[object]], token: str
) -> None:
    """Insert after making the lease last: bisecting may take many inserts."""
    heartbeat.expect(within_s=INSERT_LIMIT_S)
    if not shipment.renew():
        raise LeaseLostError
    insert_once(columns, token)


def _observe_times(shipment: Shipment) -> None:
    now = timezone.now()
    received = shipment.batches.values_list("received_at", flat=True)
    VISIBLE_SECONDS.observe_many([(now - each).total_seconds() for each in received])


@transaction.atomic
def _acknowledge(shipment: Shipment, parked: list[ParkedEvent]) -> None:
    """Note that a shipment is there, unless another process took it over."""
    if shipment.release(
        state=Shipment.State.SHIPPED, shipped_at=timezone.now(), last_error=""
    ):
        ParkedEvent.objects.bulk_create(parked, ignore_conflicts=True)
