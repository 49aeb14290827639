"""The worker evaluates, wakes, judges and sends without being asked."""

from importlib import import_module

import pytest

from riskplatform.kernel.periodic import registered
from scoring.models import Alert, Region, Webhook, WebhookDelivery
from tests.scoring.alerts.watching import line_of_cells, make_rule, publish

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
]
NAMES = (
    *("evaluate-alert-rules", "wake-alerts", "resolve-past-alerts", "score-alerts"),
    *("send-webhooks", "forget-sent-messages"),
)


def test_a_published_forecast_becomes_an_alert_and_an_attempt_to_tell(
    region: Region,
) -> None:
    import_module("scoring.tasks")
    rule = make_rule(region)
    Webhook.objects.create(
        organisation=rule.organisation, name="Pager", url="https://127.0.0.1/"
    )
    publish(region, {line_of_cells(1)[0]: 0.9})
    for name in NAMES:
        registered[name].function()
    assert Alert.objects.get().state == "open"
    delivery = WebhookDelivery.objects.get()
    assert (delivery.attempts, delivery.state) == (1, "pending")
    assert delivery.last_error == "Messages are sent to public addresses only."
