"""A part of the dashboard may fail; who may not see the portfolio sees none."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from analytics.errors import EventStoreUnavailableError
from riskplatform.api.keys.models import Organisation, Scope
from scoring.models import Portfolio, Region
from tests.scoring.dashboard.test_dashboard_api import read
from tests.support.factories import (
    make_client,
    make_forecast,
    make_organisation,
)

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]


def break_store(*_: Any, **__: Any) -> None:
    raise EventStoreUnavailableError("ClickHouse does not answer. Try again soon.")


def test_without_the_event_store_the_other_parts_stand(
    client: Client,
    portfolio: Portfolio,
    region: Region,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_forecast(region)
    monkeypatch.setattr(
        "scoring.selectors.portfolio_dashboard.activity_by_cell", break_store
    )
    found = read(client, portfolio)
    assert found.metrics.error is found.alerts.error is None
    assert (found.events.data, found.events.as_of) == (None, None)
    assert found.events.error is not None
    assert found.events.error.code == "event_store_unavailable"


@pytest.mark.parametrize(
    "query",
    [
        "timeframe=1h",
        "time=yesterday",
        "time=2024-01-01T00:00:00",
        "x=1",
        "time=0001-01-01T00:00:00Z",
    ],
)
def test_a_query_that_does_not_fit_is_refused(
    query: str, client: Client, portfolio: Portfolio
) -> None:
    address = f"/api/v1/dashboard/{portfolio.pk}?{query}"
    assert client.get(address).status_code == 422


def test_who_may_not_see_the_portfolio_sees_no_dashboard(
    client: Client, portfolio: Portfolio, acme: Organisation
) -> None:
    address = f"/api/v1/dashboard/{portfolio.pk}"
    other = make_client(make_organisation("other"))
    writer = make_client(acme, scopes=[Scope.ALERTS_WRITE])
    assert client.get(f"/api/v1/dashboard/{uuid4()}").status_code == 404
    answers = [asker.get(address).status_code for asker in (other, writer, Client())]
    assert answers == [404, 403, 401]
