"""Which webhooks cannot be made, and by whom: a problem that says why."""

from typing import Any

import pytest
from django.test import Client

from riskplatform.api.keys.models import Organisation, Scope
from tests.scoring.webhooks.queueing import make_delivery, make_webhook
from tests.scoring.webhooks.test_webhook_api import ADDRESS, patch, post
from tests.support.factories import make_client

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ({"url": "http://example.com/"}, "/url"),
        ({"url": "https://169.254.169.254/latest"}, "/url"),
        ({"url": "https://localhost/"}, "/url"),
        ({"url": 5}, "/url"),
        ({"url": "https://example.com/" + "a" * 500}, "/url"),
        ({"url": "https://example.com/\u0000"}, "/url"),
        ({"name": ""}, "/name"),
        ({"name": "\u0000"}, "/name"),
        ({"secret": "mine"}, "/secret"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named(
    parts: dict[str, Any], pointer: str, client: Client, acme: Organisation
) -> None:
    refused = [post(client, **parts), patch(client, make_webhook(acme), **parts)]
    assert [answer.status_code for answer in refused] == [422, 422]
    for answer in refused:
        assert answer.json()["errors"][0]["pointer"] == pointer


def test_a_name_is_given_once_and_there_are_so_many(
    client: Client, acme: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_webhook(acme)
    assert post(client).json()["code"] == "name_taken"
    monkeypatch.setattr("scoring.services.webhooks.registration.MAX_WEBHOOKS", 1)
    assert post(client, name="Two").json()["code"] == "quota_reached"


def test_what_is_of_another_organisation_is_absent(
    client: Client, other_client: Client, acme: Organisation
) -> None:
    webhook = make_webhook(acme)
    delivery = make_delivery(webhook)
    own = f"{ADDRESS}/{webhook.pk}"
    posts = [f"{own}/rotate", f"{own}/test"]
    posts.append(f"/api/v1/deliveries/{delivery.pk}/redeliver")
    answers = [
        *(other_client.get(address) for address in (own, f"{own}/deliveries")),
        *(other_client.post(address) for address in posts),
        patch(other_client, webhook, name="Mine"),
        other_client.delete(own),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert other_client.get(ADDRESS).json()["results"] == []
    assert client.get(own).status_code == 200


def test_only_who_manages_alerts_sees_webhooks(acme: Organisation) -> None:
    reader = make_client(acme, scopes=[Scope.SCORES_READ])
    assert reader.get(ADDRESS).status_code == 403
    assert post(reader).status_code == 403
    assert Client().get(ADDRESS).status_code == 401
