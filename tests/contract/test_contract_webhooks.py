"""Webhooks are told of alerts, and can check who tells them."""

import importlib.util
import re
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from scoring.services.alerts.evaluation import evaluate_due_rules
from scoring.services.webhooks.sending import send_due_deliveries
from tests.contract.walking import (
    Cast,
    require_answered_once,
    require_guarded,
    require_known_fields,
    require_unchanged,
)
from tests.scoring.alerts.watching import CENTRE_CELL, publish
from tests.scoring.webhooks.receiver import Receiver, receiving
from tests.support.factories import DAY_S, make_region

pytestmark = pytest.mark.django_db(transaction=True)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/alerts.md"
RULE = {
    "name": "Hot centre",
    "region": "chicago",
    "horizon_sec": DAY_S,
    "metric": "expected_count",
    "threshold": 0.5,
}


@pytest.fixture
def receiver(settings: Settings) -> Generator[Receiver]:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with receiving() as told:
        yield told


@pytest.fixture
def is_genuine(tmp_path: Path) -> Callable[..., bool]:
    """Give the receiver's check, as the document shows it."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    path = tmp_path / "receiver_of_alerts.py"
    path.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("receiver_of_alerts", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    check: Callable[..., bool] = module.is_genuine
    return check


def test_a_webhook_is_told_and_can_check_who_tells_it(
    cast: Cast, receiver: Receiver, is_genuine: Callable[..., bool]
) -> None:
    body = {"name": "Pager", "url": receiver.url}
    webhook = require_answered_once(
        cast.acme, "webhooks_create", bodies=(body, {**body, "name": "Other"})
    )
    publish(make_region(), {CENTRE_CELL: 0.9})
    cast.acme.get("alert_rules_create", body=RULE)
    cast.acme.get("webhooks_test", webhook_id=webhook.id)
    evaluate_due_rules()
    assert send_due_deliveries()["sent"] == 2
    now_s = timezone.now().timestamp()
    for got in receiver.received:
        signature = got.headers["X-Riskplatform-Signature"]
        assert is_genuine(webhook.secret, signature, got.body, now_s=now_s)
        assert not is_genuine("whsec_x", signature, got.body, now_s=now_s)
        assert not is_genuine(webhook.secret, signature, got.body + b" ", now_s=now_s)
        assert not is_genuine(webhook.secret, signature, got.body, now_s=now_s + 301)
    occasions = [got.headers["X-Riskplatform-Occasion"] for got in receiver.received]
    assert sorted(occasions) == ["alert.opened", "webhook.test"]

    rotated = cast.acme.get("webhooks_rotate", webhook_id=webhook.id)
    (first, *_) = cast.acme.get("webhooks_deliveries", webhook_id=webhook.id).results
    again = cast.acme.get("deliveries_redeliver", delivery_id=first.id)
    assert (again.id, again.state) == (first.id, "pending")
    send_due_deliveries()
    last = receiver.received[-1]
    for secret in (webhook.secret, rotated.secret):
        shown = last.headers["X-Riskplatform-Signature"]
        assert is_genuine(secret, shown, last.body, now_s=timezone.now().timestamp())
    require_guarded(cast, "deliveries_redeliver", delivery_id=first.id)


def test_webhooks_are_managed(cast: Cast, receiver: Receiver) -> None:
    body = {"name": "Pager", "url": receiver.url}
    webhook = cast.acme.get("webhooks_create", body=body)
    known = {"webhook_id": webhook.id}
    off = cast.acme.get("webhooks_update", body={"is_enabled": False}, **known)
    assert (off.is_enabled, "secret" in off.to_dict()) == (False, False)
    assert [one.id for one in cast.acme.get("webhooks_list").results] == [webhook.id]
    require_unchanged(cast.acme, "webhooks_read", path=known)
    require_known_fields(cast.acme, "webhooks_create", body=body)
    for operation_id in (
        *("webhooks_read", "webhooks_rotate", "webhooks_test"),
        *("webhooks_deliveries", "webhooks_delete"),
    ):
        require_guarded(cast, operation_id, **known)
    require_guarded(cast, "webhooks_update", body={"name": "Mine"}, **known)
    assert cast.acme.call("webhooks_delete", **known).status_code == 204
