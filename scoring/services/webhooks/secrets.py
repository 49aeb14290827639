"""The secrets that messages to webhooks are signed with: derived, never stored.

A secret depends on the key of the installation, the webhook and a number that
counts up when the secret is rotated.
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

from django.conf import settings

from scoring.models import Webhook

PURPOSE = b"riskplatform webhook secret 1\n"
# A receiver may go on with the secret before for so long.
ROTATION_PERIOD = timedelta(hours=24)


def secret_of(webhook: Webhook) -> str:
    """Return the secret to show, once, to the receiver of the messages."""
    return _derived(settings.SECRET_KEY, webhook, webhook.secret_number)


def signature_of(webhook: Webhook, body: bytes, *, moment: datetime) -> str:
    """Sign `<unix seconds>.<body>`; each `v1` is by one secret that is still good.

    There is more than one while the secret of the webhook, or the key of the
    installation, is being rotated.
    """
    stamp = str(int(moment.timestamp()))
    signed = stamp.encode() + b"." + body
    parts = [
        hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        for secret in _good_secrets(webhook, moment)
    ]
    return ",".join([f"t={stamp}", *(f"v1={part}" for part in parts)])


def _good_secrets(webhook: Webhook, moment: datetime) -> list[str]:
    numbers = [webhook.secret_number]
    rotated_at = webhook.rotated_at
    if rotated_at is not None and moment < rotated_at + ROTATION_PERIOD:
        numbers.append(webhook.secret_number - 1)
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [_derived(key, webhook, number) for number in numbers for key in keys]


def _derived(key: str, webhook: Webhook, number: int) -> str:
    message = PURPOSE + f"{webhook.pk}/{number}".encode()
    digest = hmac.digest(key.encode(), message, "sha256")
    return "whsec_" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
