"""Each step of an alert is told to each webhook of its organisation, once."""

import orjson
import pytest
from django.db import transaction

from riskplatform.api.keys.models import Organisation
from scoring.models import Alert, Region, WebhookDelivery
from scoring.services.alerts.evaluation import evaluate_rules
from scoring.services.alerts.states import acknowledge_alert
from tests.scoring.alerts.watching import line_of_cells, make_rule, publish
from tests.scoring.webhooks.queueing import make_webhook
from tests.support.factories import make_organisation

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def test_opening_and_resolving_are_told(acme: Organisation, region: Region) -> None:
    make_webhook(acme, name="One")
    make_webhook(acme, name="Two")
    make_webhook(make_organisation("other"))
    make_rule(region)
    cell = line_of_cells(1)[0]
    evaluate_rules(publish(region, {cell: 0.9}))
    evaluate_rules(publish(region, {cell: 0.8}, hours=1))
    evaluate_rules(publish(region, {}, hours=2))
    told = WebhookDelivery.objects.order_by("pk").values_list(
        "webhook__name", "occasion"
    )
    assert sorted(told) == [
        ("One", "alert.opened"),
        ("One", "alert.resolved"),
        ("Two", "alert.opened"),
        ("Two", "alert.resolved"),
    ]


def test_a_message_tells_the_alert_as_the_api_does(
    acme: Organisation, region: Region
) -> None:
    make_webhook(acme)
    make_rule(region)
    evaluate_rules(publish(region, {line_of_cells(1)[0]: 0.9}))
    alert = Alert.objects.get()
    acknowledge_alert(alert.pk, organisation=acme, actor="kim")
    opened, acknowledged = (
        orjson.loads(bytes(delivery.body))
        for delivery in WebhookDelivery.objects.order_by("change")
    )
    assert (opened["occasion"], opened["alert"]["state"]) == ("alert.opened", "open")
    assert opened["alert"]["id"] == acknowledged["alert"]["id"] == str(alert.pk)
    assert (acknowledged["actor"], acknowledged["alert"]["state"]) == (
        *("kim", "acknowledged"),
    )
    assert opened["sequence"] < acknowledged["sequence"]


def test_no_message_stays_of_an_alert_that_was_not_kept(
    acme: Organisation, region: Region
) -> None:
    make_webhook(acme)
    make_rule(region)
    forecast = publish(region, {line_of_cells(1)[0]: 0.9})
    with transaction.atomic():
        evaluate_rules(forecast)
        transaction.set_rollback(True)
    assert not Alert.objects.exists()
    assert not WebhookDelivery.objects.exists()
    assert evaluate_rules(forecast).opened_count == 1
    assert WebhookDelivery.objects.count() == 1
