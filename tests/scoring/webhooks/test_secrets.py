"""Secrets are derived: stored nowhere, and good for a while after a rotation."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from riskplatform.api.keys.models import Organisation
from scoring.models import Webhook
from scoring.services.webhooks.registration import rotate_secret
from scoring.services.webhooks.sending import secret_of, signature_of
from tests.scoring.webhooks.queueing import make_webhook

pytestmark = [pytest.mark.django_db, pytest.mark.databases]
NOW = datetime(2024, 1, 1, tzinfo=UTC)


def signatures(webhook: Webhook, *, moment: datetime = NOW) -> list[str]:
    stamp, *signed = signature_of(webhook, b"{}", moment=moment).split(",")
    assert stamp == f"t={int(moment.timestamp())}"
    return signed


def test_each_webhook_has_a_secret_of_its_own(acme: Organisation) -> None:
    one, two = make_webhook(acme, name="One"), make_webhook(acme, name="Two")
    assert secret_of(one) == secret_of(one) != secret_of(two)
    assert secret_of(one).startswith("whsec_")
    assert len(secret_of(one)) == 49


def test_a_signature_is_of_the_time_and_the_body(acme: Organisation) -> None:
    webhook = make_webhook(acme)
    later = NOW + timedelta(seconds=1)
    assert signatures(webhook) == signatures(webhook)
    assert signatures(webhook) != signatures(webhook, moment=later)
    assert signature_of(webhook, b"[]", moment=NOW) != signature_of(
        webhook, b"{}", moment=NOW
    )


def test_both_secrets_sign_for_a_day_after_a_rotation(acme: Organisation) -> None:
    webhook = make_webhook(acme)
    (before,) = signatures(webhook)
    rotated = rotate_secret(webhook.pk, organisation=acme)
    assert rotated.rotated_at is not None
    rotated.rotated_at = NOW
    assert signatures(rotated)[1:] == [before]
    (after,) = signatures(rotated, moment=NOW + timedelta(days=1))
    assert after != before


def test_both_keys_sign_while_that_of_the_installation_is_rotated(
    acme: Organisation, settings: Settings
) -> None:
    webhook = make_webhook(acme)
    (before,) = signatures(webhook)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert signatures(webhook)[1:] == [before]
