"""Alert rules through the API: made, read, changed and deleted by their owner."""

from typing import Any

import msgspec
import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from riskplatform.api.keys.models import Organisation
from scoring.api.alert_rules import AlertRuleDetail
from scoring.models import Alert, AlertRule, Region
from scoring.services.alerts.evaluation import evaluate_due_rules
from tests.scoring.alerts.watching import line_of_cells, make_rule, publish
from tests.support.factories import DAY_S, make_portfolio

pytestmark = [pytest.mark.django_db, pytest.mark.databases]
ADDRESS = "/api/v1/alert-rules"


def body(**parts: Any) -> dict[str, Any]:
    return {
        "name": "Hot cells",
        "region": "chicago",
        "horizon_sec": DAY_S,
        "metric": "p_event",
        "threshold": 0.5,
        **parts,
    }


def post(client: Client, **parts: Any) -> Any:
    return client.post(ADDRESS, body(**parts), content_type="application/json")


def patch(client: Client, rule_id: Any, **parts: Any) -> Any:
    return client.patch(f"{ADDRESS}/{rule_id}", parts, content_type="application/json")


def test_a_rule_is_made_and_read_back(client: Client, region: Region) -> None:
    one, two = line_of_cells(2)
    made = post(client, cells=[one, f"{two:x}"], severity="critical", daily_budget=3)
    assert made.status_code == 201
    found = client.get(f"{ADDRESS}/{made.json()['id']}")
    assert found.json() == made.json()
    rule = msgspec.json.decode(found.content, type=AlertRuleDetail)
    assert (rule.region, rule.cells, rule.daily_budget) == (
        "chicago",
        [str(one), str(two)],
        3,
    )
    assert (rule.severity, rule.comparison) == ("critical", "level")
    assert (rule.is_enabled, rule.last_forecast_id, rule.held_back_count) == (
        *(True, None),
        0,
    )


def test_a_rule_on_the_tail_of_a_portfolio(
    client: Client, region: Region, acme: Organisation
) -> None:
    portfolio = make_portfolio(acme)
    made = post(
        client,
        metric="tvar",
        threshold=1e6,
        quantile=0.99,
        portfolio_id=str(portfolio.pk),
    )
    assert made.status_code == 201
    assert made.json()["portfolio_id"] == str(portfolio.pk)


def test_a_change_asks_the_rule_again(client: Client, region: Region) -> None:
    publish(region, {line_of_cells(1)[0]: 0.6})
    rule = make_rule(region, threshold=0.9)
    evaluate_due_rules()
    assert patch(client, rule.pk, name="Hotter").json()["last_forecast_id"] is not None
    changed = patch(client, rule.pk, threshold=0.5, cells=None).json()
    assert (changed["threshold"], changed["last_forecast_id"]) == (0.5, None)
    assert evaluate_due_rules().opened_count == 1


def test_a_rule_that_is_switched_off_resolves_its_alerts(
    client: Client, region: Region
) -> None:
    publish(region, {line_of_cells(1)[0]: 0.6})
    rule = make_rule(region)
    evaluate_due_rules()
    assert patch(client, rule.pk, is_enabled=False).status_code == 200
    alert = Alert.objects.get()
    assert alert.state == "resolved"
    assert alert.changes.latest("pk").actor.startswith("rp_")
    patch(client, rule.pk, is_enabled=True)
    assert evaluate_due_rules().opened_count == 1


def test_a_rule_is_deleted_with_its_alerts(client: Client, region: Region) -> None:
    publish(region, {line_of_cells(1)[0]: 0.6})
    rule = make_rule(region)
    evaluate_due_rules()
    assert client.delete(f"{ADDRESS}/{rule.pk}").status_code == 204
    assert not AlertRule.objects.exists()
    assert not Alert.objects.exists()
    assert client.get(f"{ADDRESS}/{rule.pk}").status_code == 404


def test_a_name_is_given_once(client: Client, region: Region) -> None:
    rule = make_rule(region, name="One")
    make_rule(region, name="Two")
    again = post(client, name="One")
    renamed = patch(client, rule.pk, name="Two")
    assert (again.status_code, renamed.status_code) == (409, 409)
    assert again.json()["code"] == "name_taken"


def test_a_creation_is_carried_out_once_for_its_key(
    client: Client, region: Region
) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first, second = (
        client.post(ADDRESS, body(), content_type="application/json", headers=headers)
        for _ in range(2)
    )
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert AlertRule.objects.count() == 1


def test_the_list_can_be_cut(client: Client, region: Region) -> None:
    make_rule(region, name="On")
    make_rule(region, name="Off", is_enabled=False)
    names = {
        query: [
            row["name"] for row in client.get(f"{ADDRESS}?{query}").json()["results"]
        ]
        for query in ("is_enabled=true", "region=chicago", "region=x", "limit=1")
    }
    assert names == {
        "is_enabled=true": ["On"],
        "region=chicago": ["On", "Off"],
        "region=x": [],
        "limit=1": ["On"],
    }


@pytest.mark.parametrize("count", [1, 20])
def test_a_list_costs_the_same_for_any_number_of_rules(
    count: int,
    client: Client,
    region: Region,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(count):
        make_rule(region, name=f"Rule {number}")
    client.get(ADDRESS)
    with django_assert_num_queries(2):
        assert len(client.get(ADDRESS).json()["results"]) == count


def test_what_did_not_change_is_not_sent_again(client: Client, region: Region) -> None:
    make_rule(region)
    tag = client.get(ADDRESS).headers["ETag"]
    again = client.get(ADDRESS, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
