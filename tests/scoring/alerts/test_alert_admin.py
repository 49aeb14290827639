"""Staff see rules, alerts, webhooks and messages, and act through the services."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from scoring.models import Alert, AlertRule, Region, Webhook, WebhookDelivery
from scoring.services.alerts.evaluation import evaluate_rules
from tests.scoring.alerts.watching import line_of_cells, make_rule, publish
from tests.support.factories import make_organisation

pytestmark = [pytest.mark.django_db, pytest.mark.databases]
MODELS = (AlertRule, Alert, Webhook, WebhookDelivery)
HOT = {line_of_cells(1)[0]: 0.9}


def fill(region: Region, count: int) -> None:
    """Make organisations, each with a rule, an alert, a webhook and a message."""
    for number in range(count):
        organisation = make_organisation(f"client-{number}")
        make_rule(region, organisation=organisation)
        Webhook.objects.create(
            organisation=organisation, name="Pager", url="https://a.example.com/"
        )
    evaluate_rules(publish(region, HOT))


def address(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:scoring_{model._meta.model_name}_{page}", args=args)


def act(admin: Client, model: Any, action: str) -> str:
    chosen = {"action": action, "_selected_action": [model.objects.get().pk]}
    answer = admin.post(address(model, "changelist"), chosen, follow=True)
    return answer.content.decode()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("page", ["changelist", "change"])
def test_a_page_costs_the_same_for_one_row_and_for_twenty(
    page: str,
    model: Any,
    region: Region,
    admin: Client,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    costs = []
    for count in (1, 20):
        AlertRule.objects.all().delete()
        Webhook.objects.all().delete()
        region.forecasts.all().delete()
        fill(region, count)
        assert model.objects.count() == count
        keys = [model.objects.first().pk] if page == "change" else []
        admin.get(address(model, page, *keys))
        with django_assert_max_num_queries(12) as queries:
            assert admin.get(address(model, page, *keys)).status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("model", MODELS)
def test_what_services_write_cannot_be_written_by_hand(
    model: Any, region: Region, admin: Client
) -> None:
    fill(region, 1)
    change = address(model, "change", model.objects.get().pk)
    assert admin.get(address(model, "add")).status_code == 403
    assert admin.post(change, {}).status_code == 403


def test_staff_acknowledge_and_snooze_in_their_own_name(
    region: Region, admin: Client
) -> None:
    fill(region, 1)
    assert "1 alerts changed, 0 were resolved" in act(admin, Alert, "snooze")
    assert Alert.objects.get().state == "snoozed"
    act(admin, Alert, "acknowledge")
    alert = Alert.objects.get()
    assert (alert.state, alert.acknowledged_by) == ("acknowledged", "admin")
    evaluate_rules(publish(region, {}, hours=1))
    assert "0 alerts changed, 1 were resolved" in act(admin, Alert, "acknowledge")


def test_staff_send_messages_once_more(region: Region, admin: Client) -> None:
    fill(region, 1)
    assert "0 messages queued, 1 are queued already" in act(
        admin, WebhookDelivery, "redeliver"
    )
    WebhookDelivery.objects.update(state="dead")
    assert "1 messages queued" in act(admin, WebhookDelivery, "redeliver")
    assert WebhookDelivery.objects.get().state == "pending"


def test_the_list_of_rules_tells_their_precision(region: Region, admin: Client) -> None:
    fill(region, 1)
    Alert.objects.update(was_right=True, lead_time_s=7_200)
    page = admin.get(address(AlertRule, "changelist")).content.decode()
    assert "100% of 1" in page
    rule = AlertRule.objects.get()
    form = admin.get(address(AlertRule, "change", rule.pk)).content.decode()
    assert "1 of 1 alerts were right; median lead time 2.0 h." in form
