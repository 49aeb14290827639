"""Alerts through the API: listed, cut, acknowledged and snoozed."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from riskplatform.api.keys.models import Organisation
from riskplatform.api.paging import Page
from scoring.api.alerts import AlertHistory
from scoring.models import Alert, Region
from scoring.selectors.alerts import AlertDetail
from scoring.services.alerts.evaluation import evaluate_rules
from tests.scoring.alerts.watching import (
    CENTRE_CELL,
    line_of_cells,
    make_rule,
    publish,
)
from tests.support.factories import make_portfolio

pytestmark = [pytest.mark.django_db, pytest.mark.databases]
ADDRESS = "/api/v1/alerts"


def post(client: Client, alert: Alert, verb: str, body: Any = None) -> Any:
    address = f"{ADDRESS}/{alert.pk}/{verb}"
    return client.post(address, body or {}, content_type="application/json")


def snooze(client: Client, alert: Alert, until: Any) -> Any:
    return post(client, alert, "snooze", {"until": until})


def test_an_alert_tells_where_what_and_since_when(client: Client, alert: Alert) -> None:
    one, two = line_of_cells(2)
    answer = client.get(ADDRESS)
    (found,) = msgspec.json.decode(answer.content, type=Page[AlertDetail]).results
    assert (found.id, found.state, found.severity) == (alert.pk, "open", "warning")
    assert found.cells == [str(two), str(one)]
    assert found.cells_hex == [f"{two:x}", f"{one:x}"]
    assert (found.cell_count, found.value, found.region) == (2, 0.9, "chicago")
    assert found.coordinates == pytest.approx((alert.lon, alert.lat), abs=1e-6)
    assert alert.last_forecast is not None
    assert found.valid_until == alert.last_forecast.valid_until


def test_the_newest_comes_first_and_the_list_can_be_cut(
    client: Client, alert: Alert
) -> None:
    make_rule(alert.rule.region, name="Loud", severity="critical")
    evaluate_rules(publish(alert.rule.region, {line_of_cells(1)[0]: 0.9}, hours=1))
    critical = Alert.objects.get(severity="critical")
    found = {
        query: [row["id"] for row in client.get(f"{ADDRESS}?{query}").json()["results"]]
        for query in (
            *("", "severity=critical", "state=snoozed", "limit=1"),
            f"rule_id={alert.rule_id}",
        )
    }
    assert found == {
        "": [str(critical.pk), str(alert.pk)],
        "severity=critical": [str(critical.pk)],
        "state=snoozed": [],
        "limit=1": [str(critical.pk)],
        f"rule_id={alert.rule_id}": [str(alert.pk)],
    }
    page = client.get(f"{ADDRESS}?limit=1").json()
    following = client.get(f"{ADDRESS}?limit=1&after={page['next']}").json()
    assert [row["id"] for row in following["results"]] == [str(alert.pk)]


@pytest.mark.parametrize("form", ["?portfolio={}&", "/{}?"])
def test_a_portfolio_has_the_alerts_of_the_rules_that_watch_it(
    client: Client, alert: Alert, acme: Organisation, form: str
) -> None:
    portfolio = make_portfolio(acme, n_assets=1)
    rule = make_rule(alert.rule.region, name="Ours", portfolio=portfolio)
    evaluate_rules(publish(alert.rule.region, {CENTRE_CELL: 0.9}, hours=1))
    address = ADDRESS + form.format(portfolio.pk)
    (found,) = client.get(address).json()["results"]
    assert (found["rule_id"], found["portfolio_id"]) == (
        *(str(rule.pk), str(portfolio.pk)),
    )
    assert client.get(f"{address}state=resolved").json()["results"] == []
    assert client.get(f"{address}severity=warning").json()["results"] == [found]
    assert client.get(ADDRESS + form.format(alert.pk)).status_code == 404


def test_who_acknowledges_is_told_and_repeating_it_is_fine(
    client: Client, alert: Alert
) -> None:
    first, second = (post(client, alert, "acknowledge") for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    found = msgspec.json.decode(first.content, type=AlertDetail)
    assert found.state == "acknowledged"
    assert found.acknowledged_by.startswith("rp_")


def test_a_snooze_is_told_and_kept_in_the_history(client: Client, alert: Alert) -> None:
    until = timezone.now() + timedelta(days=1)
    assert snooze(client, alert, until.isoformat()).json()["state"] == "snoozed"
    answer = client.get(f"{ADDRESS}/{alert.pk}/history")
    steps = msgspec.json.decode(answer.content, type=AlertHistory).results
    assert [step.kind for step in steps] == ["opened", "snoozed"]
    assert (steps[0].actor, steps[1].snoozed_until) == ("", until)


@pytest.mark.parametrize("count", [1, 20])
def test_a_list_costs_the_same_for_any_number_of_alerts(
    count: int,
    client: Client,
    region: Region,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(count):
        make_rule(region, name=f"Rule {number}")
    evaluate_rules(publish(region, {line_of_cells(1)[0]: 0.9}))
    client.get(ADDRESS)
    with django_assert_num_queries(2):
        assert len(client.get(ADDRESS).json()["results"]) == count
