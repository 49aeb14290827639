"""What cannot be done with alerts, and by whom: a problem that says why."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from riskplatform.api.keys.models import Organisation, Scope
from scoring.models import Alert
from scoring.services.alerts.evaluation import evaluate_rules
from tests.scoring.alerts.test_alert_api import ADDRESS, post, snooze
from tests.scoring.alerts.watching import (
    publish,
)
from tests.support.factories import make_client

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


@pytest.mark.parametrize(
    "until",
    ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "2999-01-01T00:00:00", 5, None],
)
def test_a_snooze_until_no_good_time_is_refused(
    until: Any, client: Client, alert: Alert
) -> None:
    refused = snooze(client, alert, until)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/until"


def test_a_resolved_alert_is_a_conflict(client: Client, alert: Alert) -> None:
    evaluate_rules(publish(alert.rule.region, {}, hours=1))
    refused = post(client, alert, "acknowledge")
    assert (refused.status_code, refused.json()["code"]) == (409, "alert_resolved")


def test_what_is_of_another_organisation_is_absent(
    other_client: Client, alert: Alert
) -> None:
    until = (timezone.now() + timedelta(days=1)).isoformat()
    answers = [
        post(other_client, alert, "acknowledge"),
        snooze(other_client, alert, until),
        other_client.get(f"{ADDRESS}/{alert.pk}/history"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert other_client.get(ADDRESS).json()["results"] == []


def test_scopes_part_reading_from_writing(acme: Organisation, alert: Alert) -> None:
    reader = make_client(acme, scopes=[Scope.SCORES_READ])
    writer = make_client(acme, scopes=[Scope.ALERTS_WRITE])
    assert reader.get(ADDRESS).status_code == 200
    assert post(reader, alert, "acknowledge").status_code == 403
    assert writer.get(ADDRESS).status_code == 403
    assert Client().get(ADDRESS).status_code == 401


@pytest.mark.parametrize(
    "query", ["severity=red", "state=old", "limit=0", "after=x", "rule_id=1", "x=1"]
)
def test_a_query_that_does_not_fit_is_refused(query: str, client: Client) -> None:
    assert client.get(f"{ADDRESS}?{query}").status_code == 422
