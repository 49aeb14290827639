"""A rule fires, somebody is told, looks at it, and later it is quiet again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from scoring.models import Portfolio, Region
from scoring.services.alerts.evaluation import evaluate_due_rules
from tests.contract.walking import (
    Cast,
    require_answered_once,
    require_guarded,
    require_known_fields,
    require_unchanged,
)
from tests.scoring.alerts.watching import CENTRE_CELL, publish
from tests.support.factories import (
    DAY_S,
    make_organisation,
    make_portfolio,
    make_region,
)

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
RULE = {
    "name": "Hot centre",
    "region": "chicago",
    "horizon_sec": DAY_S,
    "metric": "expected_count",
    "threshold": 0.5,
}


@pytest.fixture
def region(db: None) -> Region:
    return make_region()


@pytest.fixture
def portfolio(region: Region) -> Portfolio:
    return make_portfolio(make_organisation("acme"), n_assets=1)


def test_a_rule_fires_and_is_looked_after(
    cast: Cast, region: Region, portfolio: Portfolio
) -> None:
    publish(region, {CENTRE_CELL: 0.9})
    body = {**RULE, "portfolio_id": str(portfolio.pk)}
    rule = require_answered_once(
        cast.acme, "alert_rules_create", bodies=(body, {**body, "threshold": 0.6})
    )
    assert evaluate_due_rules().opened_count == 1
    (alert,) = cast.acme.get("alerts_list", state="open", rule_id=rule.id).results
    of_portfolio = cast.acme.get("alerts_of_portfolio", portfolio_id=portfolio.pk)
    assert [found.id for found in of_portfolio.results] == [alert.id]
    assert (alert.cells, alert.severity) == ([str(CENTRE_CELL)], "warning")

    seen = cast.acme.get("alerts_acknowledge", alert_id=alert.id)
    assert (seen.state, seen.acknowledged_by != "") == ("acknowledged", True)
    hours = [timezone.now() + timedelta(hours=n) for n in (1, 2)]
    quiet = require_answered_once(
        cast.acme,
        "alerts_snooze",
        bodies=[{"until": hour.isoformat()} for hour in hours],
        alert_id=alert.id,
    )
    assert (quiet.state, quiet.snoozed_until) == ("snoozed", hours[0])

    publish(region, {}, hours=24)
    assert evaluate_due_rules().resolved_count == 1
    steps = cast.acme.get("alerts_history", alert_id=alert.id).results
    assert [step.kind for step in steps] == (
        ["opened", "acknowledged", "snoozed", "resolved"]
    )
    refused = cast.acme.call("alerts_acknowledge", alert_id=alert.id)
    assert (refused.status_code, refused.parsed.code) == (409, "alert_resolved")
    did = cast.acme.get("alert_rules_performance", rule_id=rule.id)
    assert (did.alert_count, did.unresolved_count, did.scored_count) == (1, 0, 0)
    for operation_id in ("alerts_acknowledge", "alerts_history"):
        require_guarded(cast, operation_id, alert_id=alert.id)
    require_guarded(cast, "alerts_of_portfolio", portfolio_id=portfolio.pk)


def test_rules_are_managed(cast: Cast, region: Region) -> None:
    rule = cast.acme.get("alert_rules_create", body=RULE)
    changed = cast.acme.get(
        "alert_rules_update", rule_id=rule.id, body={"threshold": 0.7}
    )
    assert (changed.threshold, changed.name) == (0.7, RULE["name"])
    assert [one.id for one in cast.acme.get("alert_rules_list").results] == [rule.id]
    assert cast.other.get("alert_rules_list").results == []
    require_unchanged(cast.acme, "alert_rules_read", path={"rule_id": rule.id})
    require_known_fields(cast.acme, "alert_rules_create", body=RULE)
    for operation_id in ("alert_rules_read", "alert_rules_performance"):
        require_guarded(cast, operation_id, rule_id=rule.id)
    require_guarded(cast, "alert_rules_update", rule_id=rule.id, body={"name": "Mine"})
    require_guarded(cast, "alert_rules_delete", rule_id=rule.id)
    taken = cast.acme.call("alert_rules_create", body=RULE)
    assert (taken.status_code, taken.parsed.code) == (409, "name_taken")
    removed = cast.acme.call("alert_rules_delete", rule_id=rule.id)
    assert (removed.status_code, removed.content) == (204, b"")
    assert cast.acme.call("alert_rules_read", rule_id=rule.id).status_code == 404


def test_a_reader_takes_a_ticket_for_a_socket_each_time(cast: Cast) -> None:
    first, second = (cast.reader.get("ws_ticket") for _ in range(2))
    assert first.ticket != second.ticket
    assert first.expires_at > timezone.now()
    assert cast.nobody.call("ws_ticket").status_code == 401
