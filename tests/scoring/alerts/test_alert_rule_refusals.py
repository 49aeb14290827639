"""What a rule cannot ask, and who cannot ask: a problem that says why."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from riskplatform.api.keys.models import Organisation, Scope
from scoring.models import AlertRule, Region
from tests.scoring.alerts.test_alert_rule_api import ADDRESS, body, patch, post
from tests.scoring.alerts.watching import line_of_cells, make_rule, publish
from tests.support.factories import DAY_S, make_client, make_portfolio, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]
CELL = line_of_cells(1)[0]
ELSEWHERE = 0x8A2A1072B59FFFF


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "a\u0000b"}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": 1}, "/name"),
        ({"horizon_sec": 0}, "/horizon_sec"),
        ({"horizon_sec": 3_600}, "/horizon_sec"),
        ({"horizon_sec": 10**30}, "/horizon_sec"),
        ({"metric": "risk"}, "/metric"),
        ({"threshold": 1.5}, "/threshold"),
        ({"threshold": 0}, "/threshold"),
        ({"threshold": -1}, "/threshold"),
        ({"threshold": True}, "/threshold"),
        ({"comparison": "change", "threshold": 0.5}, "/threshold"),
        ({"metric": "expected_count", "threshold": 1e7}, "/threshold"),
        ({"severity": "red"}, "/severity"),
        ({"daily_budget": 0}, "/daily_budget"),
        ({"daily_budget": 2**63}, "/daily_budget"),
        ({"quantile": 0.9}, "/quantile"),
        ({"quantile": 1.0}, "/quantile"),
        ({"cells": []}, "/cells"),
        ({"cells": [CELL, CELL]}, "/cells/1"),
        ({"cells": [ELSEWHERE]}, "/cells/0"),
        ({"cells": [CELL, "zz"]}, "/cells/1"),
        ({"cells": [2**70]}, "/cells/0"),
        ({"portfolio_id": "one"}, "/portfolio_id"),
        ({"metric": "tvar", "quantile": 0.9, "threshold": 9}, "/portfolio_id"),
        ({"is_enabled": "yes"}, "/is_enabled"),
        ({"organisation": "other"}, "/organisation"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named(
    parts: dict[str, Any], pointer: str, client: Client, region: Region
) -> None:
    publish(region, {}, horizon_sec=DAY_S)
    refused = post(client, **parts)
    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert not AlertRule.objects.exists()


def test_a_tail_needs_a_quantile_and_watches_all_cells(
    client: Client, region: Region, acme: Organisation
) -> None:
    portfolio = str(make_portfolio(acme).pk)
    tail = {"metric": "tvar", "threshold": 9, "portfolio_id": portfolio}
    no_quantile = post(client, **tail).json()
    with_cells = post(client, **tail, quantile=0.9, cells=[CELL]).json()
    assert no_quantile["errors"][0]["pointer"] == "/quantile"
    assert with_cells["errors"][0]["pointer"] == "/cells"


def test_a_change_is_checked_as_a_whole(client: Client, region: Region) -> None:
    rule = make_rule(region, metric="expected_count", threshold=5.0)
    refused = patch(client, rule.pk, metric="p_event")
    assert refused.json()["errors"][0]["pointer"] == "/threshold"
    assert patch(client, rule.pk, region="other").status_code == 422
    rule.refresh_from_db()
    assert rule.metric == "expected_count"


@pytest.mark.parametrize("text", [b"{", b'{"threshold": NaN}', b"\xff"])
def test_what_is_not_json_is_told_so(text: bytes, client: Client) -> None:
    refused = client.post(ADDRESS, text, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed_body")


@pytest.mark.parametrize(
    "text", [b"[" * 10**5, b'{"name":"a","threshold":1e999}', b"[]", b"null"]
)
def test_other_json_is_refused(text: bytes, client: Client) -> None:
    refused = client.post(ADDRESS, text, content_type="application/json")
    assert refused.status_code in {400, 422}


def test_what_the_organisation_does_not_have_is_absent(
    client: Client, other_client: Client, region: Region
) -> None:
    rule = make_rule(region)
    theirs = make_portfolio(rule.organisation, name="Theirs")
    assert post(other_client, portfolio_id=str(theirs.pk)).status_code == 404
    assert post(client, portfolio_id=str(uuid4())).status_code == 404
    assert post(client, region="nowhere").status_code == 404
    for address in (f"{ADDRESS}/{rule.pk}", f"{ADDRESS}/{rule.pk}/performance"):
        assert client.get(address).status_code == 200
        assert other_client.get(address).status_code == 404
    assert patch(other_client, rule.pk, name="Mine").status_code == 404
    assert other_client.delete(f"{ADDRESS}/{rule.pk}").status_code == 404
    assert other_client.get(ADDRESS).json()["results"] == []


def test_scopes_part_reading_from_writing(acme: Organisation, region: Region) -> None:
    rule = make_rule(region)
    reader = make_client(acme, scopes=[Scope.SCORES_READ])
    writer = make_client(acme, scopes=[Scope.ALERTS_WRITE])
    assert reader.get(ADDRESS).status_code == 200
    assert post(reader).status_code == 403
    assert patch(reader, rule.pk, name="b").status_code == 403
    assert writer.get(ADDRESS).status_code == 403
    assert post(writer, name="new").status_code == 201
    assert Client().get(ADDRESS).status_code == 401


def test_a_region_that_a_key_may_not_see_is_absent(acme: Organisation) -> None:
    make_region("secret", is_public=False, owner=acme)
    make_region("installation", is_public=False)
    writer = make_client(acme, scopes=[Scope.ALERTS_WRITE])
    both = make_client(acme)
    assert post(writer, region="secret").status_code == 404
    assert post(both, region="secret").status_code == 201
    assert post(both, region="installation").status_code == 404


def test_an_organisation_has_so_many_rules(
    client: Client, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoring.services.alerts.rules.MAX_RULES", 1)
    assert post(client).status_code == 201
    refused = post(client, **body(name="Another"))
    assert (refused.status_code, refused.json()["code"]) == (409, "quota_reached")
