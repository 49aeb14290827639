"""Messages to webhooks: what they say, how they are signed, and how they are sent.

Every message is sent at least once, with the same body under the same id. The secrets
that sign them are derived, never stored: from the key of the installation, the webhook
and a number that counts up when the secret is rotated.
"""

import base64
import hmac
import http.client
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import groupby
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connections
from django.utils import timezone
from msgspec import Struct

from riskplatform import __version__
from riskplatform.api.structured_log import event_logger
from riskplatform.kernel.ids import uuid7
from scoring.errors import WebhookAddressError
from scoring.metrics import (
    ALERT_DELIVERY_SECONDS,
    WEBHOOK_DELIVERIES,
    WEBHOOK_SECONDS,
)
from scoring.models import AlertChange, Webhook, WebhookDelivery
from scoring.selectors.alerts import AlertDetail
from scoring.services.webhooks.requests import post

BATCH = 100
MAX_THREADS = 8
# A round starts no attempt after this time; what is left waits for the next.
ROUND_S = 20.0
MAX_ATTEMPTS = 14
MAX_ERROR_CHARS = 300
NOT_TRIED = "The message before it could not be delivered."
TEST_OCCASION = "webhook.test"
PURPOSE = b"riskplatform webhook secret 1\n"
# A receiver may go on with the secret before for so long.
ROTATION_PERIOD = timedelta(hours=24)

events = event_logger(__name__)


def send_due_deliveries() -> Counter[str]:
    """Send what is due: webhooks side by side, the messages of each in turn.

    Returns how many messages have which state now.
    """
    due = WebhookDelivery.objects.sendable().select_related("webhook")
    claimed = due.order_by("due_at", "pk").claim(limit=BATCH)
    claimed.sort(key=lambda row: row.webhook_id)
    queues = [list(group) for _, group in groupby(claimed, lambda row: row.webhook_id)]
    until_s = time.monotonic() + ROUND_S
    states: Counter[str] = Counter()
    if queues:
        with ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="webhook") as threads:
            for done in threads.map(
                lambda queue: _send_in_turn(queue, until_s), queues
            ):
                states.update(done)
    return states


def _send_in_turn(queue: Sequence[WebhookDelivery], until_s: float) -> list[str]:
    """Send the messages of one webhook, the least tried first, until one fails.

    A receiver that is down is tried once a round. The messages behind the failed
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
        for row in waiting:
            row.hand_back()
        return states
    finally:
        connections.close_all()


def _attempt(delivery: WebhookDelivery) -> str:
    body, webhook = bytes(delivery.body), delivery.webhook
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"riskplatform/{__version__}",
        "X-Riskplatform-Delivery": str(delivery.pk),
        "X-Riskplatform-Occasion": delivery.occasion,
        "X-Riskplatform-Signature": signature_of(webhook, body, moment=timezone.now()),
    }
    try:
        with WEBHOOK_SECONDS.time():
            status = post(webhook.url, body, headers=headers)
    except WebhookAddressError as refusal:
        return _note(delivery, error=refusal.message)
    except (OSError, http.client.HTTPException) as failure:
        return _note(delivery, error=f"{type(failure).__name__}: {failure}")
    return _note(delivery, status=status, error=f"The receiver answered {status}.")


def _note(delivery: WebhookDelivery, *, error: str, status: int | None = None) -> str:
    """Write the outcome of an attempt, unless another process took the message over."""
    state, sent_at = WebhookDelivery.State.PENDING, None
    if status is not None and 200 <= status < 300:
        state, sent_at, error = WebhookDelivery.State.SENT, timezone.now(), ""
    elif status == HTTPStatus.GONE or delivery.attempts >= MAX_ATTEMPTS:
        state = WebhookDelivery.State.DEAD
    is_final = state != WebhookDelivery.State.PENDING
    printable = "".join(char if char.isprintable() else "?" for char in error)
    give_up = delivery.release if is_final else delivery.retry_later
    give_up(
        state=state,
        last_status=status,
        last_error=printable[:MAX_ERROR_CHARS],
        sent_at=sent_at,
    )
    WEBHOOK_DELIVERIES.labels(state if is_final else "failed").inc()
    events.info(
        "webhook message tried",
        delivery=str(delivery.pk),
        webhook=str(delivery.webhook_id),
        attempt=delivery.attempts,
        outcome=state if is_final else "failed",
        status=status,
    )
    if sent_at is not None:
        ALERT_DELIVERY_SECONDS.observe((sent_at - delivery.created_at).total_seconds())
    return state


class WebhookMessage(Struct):
    id: UUID
    occasion: str
    happened_at: datetime


class AlertMessage(WebhookMessage):
    sequence: int
    actor: str
    alert: AlertDetail


class TrialMessage(WebhookMessage):
    webhook: str


def message_of_change(webhook: Webhook, change: AlertChange) -> WebhookDelivery:
    """Make, but do not store, the message that an alert has changed."""
    message = AlertMessage(
        id=uuid7(),
        occasion=f"alert.{change.kind}",
        happened_at=change.changed_at,
        sequence=change.pk,
        actor=change.actor,
        alert=AlertDetail.of(change.alert),
    )
    return _delivery(webhook, message, change)


def trial_message(webhook: Webhook, *, now: datetime) -> WebhookDelivery:
    """Make, but do not store, a message by which a client tries its receiver."""
    message = TrialMessage(
        id=uuid7(), occasion=TEST_OCCASION, happened_at=now, webhook=webhook.name
    )
    return _delivery(webhook, message, None)


def _delivery(
    webhook: Webhook, message: WebhookMessage, change: AlertChange | None
) -> WebhookDelivery:
    return WebhookDelivery(
        pk=message.id,
        webhook=webhook,
        change=change,
        occasion=message.occasion,
        body=msgspec.json.encode(message),
        due_at=message.happened_at,
    )


def secret_of(webhook: Webhook) -> str:
    """Return the secret to show, once, to the receiver of the messages."""
    return _derived(settings.SECRET_KEY, webhook, webhook.secret_number)


def signature_of(webhook: Webhook, body: bytes, *, moment: datetime) -> str:
    """Sign `<unix seconds>.<body>`; each `v1` is by one secret that is still good.

    There is more than one while the secret of the webhook, or the key of the
    installation, is being rotated.
    """
    numbers = [webhook.secret_number]
    rotated_at = webhook.rotated_at
    if rotated_at is not None and moment < rotated_at + ROTATION_PERIOD:
        numbers.append(webhook.secret_number - 1)
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    secrets = [_derived(key, webhook, number) for number in numbers for key in keys]
    stamp = str(int(moment.timestamp()))
    signed = stamp.encode() + b"." + body
    parts = [hmac.digest(each.encode(), signed, "sha256").hex() for each in secrets]
    return ",".join([f"t={stamp}", *(f"v1={part}" for part in parts)])


def _derived(key: str, webhook: Webhook, number: int) -> str:
    message = PURPOSE + f"{webhook.pk}/{number}".encode()
    digest = hmac.digest(key.encode(), message, "sha256")
    return "whsec_" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
