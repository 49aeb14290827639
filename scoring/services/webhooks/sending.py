"""Sends what waits: claims messages with a lease, posts them, notes the outcome.

Every message is sent at least once. Whoever dies on the way leaves a lease that
runs out; the next attempt sends the same body under the same id.
"""

import http.client
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db import connections, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from riskplatform import __version__
from scoring.errors import WebhookAddressError
from scoring.metrics import WEBHOOK_DELIVERIES, WEBHOOK_SECONDS
from scoring.models import WebhookDelivery
from scoring.services.webhooks.requests import Reply, post
from scoring.services.webhooks.secrets import signature_of

BATCH = 100
MAX_THREADS = 8
LEASE = timedelta(seconds=120)
# A round starts no attempt after this time; what is left waits for the next.
ROUND_S = 20.0
FIRST_DELAY_S = 60.0
MAX_DELAY_S = 24 * 3_600.0
MAX_ATTEMPTS = 14
MAX_ERROR_CHARS = 300
NOT_TRIED = "The message before it could not be delivered."


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingReport:
    sent_count: int
    failed_count: int
    dead_count: int


def send_due_deliveries() -> SendingReport:
    """Send what is due: webhooks side by side, the messages of each in turn."""
    claimed = _claim(timezone.now())
    rows = sorted(claimed, key=lambda row: (row.webhook_id, row.pk))
    queues = [list(group) for _, group in groupby(rows, lambda row: row.webhook_id)]
    until_s = time.monotonic() + ROUND_S
    states: list[str] = []
    if queues:
        with ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="webhook") as threads:
            for done in threads.map(
                lambda queue: _send_in_turn(queue, until_s), queues
            ):
                states.extend(done)
    return SendingReport(
        sent_count=states.count(WebhookDelivery.State.SENT),
        failed_count=states.count(WebhookDelivery.State.PENDING),
        dead_count=states.count(WebhookDelivery.State.DEAD),
    )


def delay_s(attempt: int) -> float:
    """Wait up to twice as long after each failure, at random over the whole time."""
    longest = min(MAX_DELAY_S, FIRST_DELAY_S * 2.0 ** min(attempt - 1, 30))
    return longest * random.uniform(0.0, 1.0)  # noqa: S311 - spreads load, hides nothing


@transaction.atomic
def _claim(now: datetime) -> list[WebhookDelivery]:
    """Take what is due and what no other process is taking."""
    due = WebhookDelivery.objects.due_at(now).order_by("next_attempt_at", "pk")
    locked = due.select_for_update(skip_locked=True, of=("self",))
    rows = list(locked.select_related("webhook")[:BATCH])
    keys = [row.pk for row in rows]
    WebhookDelivery.objects.filter(pk__in=keys).update(
        lease_until=now + LEASE, attempts=F("attempts") + 1
    )
    for row in rows:
        row.attempts += 1
    return rows


def _send_in_turn(queue: Sequence[WebhookDelivery], until_s: float) -> list[str]:
    """Send the messages of one webhook, the least tried first, until one fails.

    A receiver that is down is asked once a round. The messages behind the failed
    one count as tried, each with a delay of its own, so that none waits for ever
    behind another.
    """
    try:
        waiting = sorted(queue, key=lambda row: (row.attempts, row.pk))
        states: list[str] = []
        while waiting and time.monotonic() < until_s:
            states.append(_attempt(waiting.pop(0)))
            if states[-1] != WebhookDelivery.State.SENT:
                states.extend(_note(row, error=NOT_TRIED) for row in waiting)
                return states
        _hand_back(waiting)
        return states
    finally:
        connections.close_all()


def _attempt(delivery: WebhookDelivery) -> str:
    try:
        with WEBHOOK_SECONDS.time():
            reply = _post(delivery)
    except WebhookAddressError as refusal:
        return _note(delivery, error=refusal.message)
    except (OSError, http.client.HTTPException) as failure:
        return _note(delivery, error=f"{type(failure).__name__}: {failure}")
    return _note(delivery, reply=reply)


def _post(delivery: WebhookDelivery) -> Reply:
    body, webhook = bytes(delivery.body), delivery.webhook
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"riskplatform/{__version__}",
        "X-Riskplatform-Delivery": str(delivery.pk),
        "X-Riskplatform-Occasion": delivery.occasion,
        "X-Riskplatform-Signature": signature_of(webhook, body, moment=timezone.now()),
    }
    return post(webhook.url, body, headers=headers)


def _note(
    delivery: WebhookDelivery, *, reply: Reply | None = None, error: str = ""
) -> str:
    """Write the outcome of an attempt, unless somebody else took the message over."""
    state, now = _state_after(delivery, reply), timezone.now()
    is_sent = state == WebhookDelivery.State.SENT
    if reply is not None and not is_sent:
        error = f"The receiver answered {reply.status}."
    _held(delivery).update(
        state=state,
        lease_until=None,
        last_status=None if reply is None else reply.status,
        last_error=_printable(error)[:MAX_ERROR_CHARS],
        next_attempt_at=now + timedelta(seconds=delay_s(delivery.attempts)),
        sent_at=now if is_sent else None,
    )
    WEBHOOK_DELIVERIES.labels("failed" if state == "pending" else state).inc()
    return state


def _state_after(delivery: WebhookDelivery, reply: Reply | None) -> str:
    if reply is not None and reply.is_success:
        return WebhookDelivery.State.SENT
    is_final = delivery.attempts >= MAX_ATTEMPTS or (
        reply is not None and reply.is_gone
    )
    return WebhookDelivery.State.DEAD if is_final else WebhookDelivery.State.PENDING


def _hand_back(deliveries: Sequence[WebhookDelivery]) -> None:
    """Give up the lease of messages that there was no time for."""
    for delivery in deliveries:
        _held(delivery).update(lease_until=None, attempts=F("attempts") - 1)


def _held(delivery: WebhookDelivery) -> QuerySet[WebhookDelivery]:
    """Find the message as it was claimed: the number of attempts tells claims apart."""
    return WebhookDelivery.objects.filter(
        pk=delivery.pk,
        state=WebhookDelivery.State.PENDING,
        attempts=delivery.attempts,
    )


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
