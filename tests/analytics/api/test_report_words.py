"""Reports count what everybody sent, and tell the words of those one may see."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from analytics.store.rollups import refresh_rollups
from riskplatform.api.keys.models import Membership, Organisation
from tests.analytics.api.reading import CHICAGO, START, Ask, make_reader

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]
SENT = {
    "acme/feed": ("theft", 1.0),
    "rival/feed": ("launch of the secret product", 2.0),
    "rival/other": ("theft", 3.0),
    "acme-rival/feed": ("another secret", 4.0),
    "city": ("arson", 5.0),
}
DAYS = "region=chicago&from=2026-01-01&to=2026-01-03"


@pytest.fixture(autouse=True)
def sent_events(empty_event_table: None, two_regions: None) -> None:
    for source, (event_type, severity) in SENT.items():
        events = EventColumns(
            occurred_ms=np.array([int(START.timestamp()) * 1_000]),
            lat=np.full(1, 41.8),
            lon=np.full(1, -87.6),
            external_id=[f"{source}-1"],
            event_type=event_type,
            severity=np.full(1, severity),
        )
        store_events(events, grid=CHICAGO, source=source, now=START + timedelta(days=1))


@pytest.fixture(params=["rolled up", "from the events"])
def ask(request: pytest.FixtureRequest, db: None) -> Ask:
    if request.param == "rolled up":
        refresh_rollups()
    return make_reader("reports")


def counts(response: Any) -> dict[str, int]:
    return {row["event_type"]: row["count"] for row in response.json()["rows"]}


@pytest.mark.parametrize("name", ["hourly-counts", "severity-quantiles"])
def test_types_of_others_are_one_type(ask: Ask, name: str) -> None:
    assert counts(ask(f"/{name}?{DAYS}")) == {"arson": 1, "other": 2, "theft": 2}


def test_what_is_folded_is_measured_together(ask: Ask) -> None:
    rows = ask(f"/severity-quantiles?{DAYS}").json()["rows"]
    other = next(row for row in rows if row["event_type"] == "other")
    assert (other["severity_count"], other["severity_mean"]) == (2, 3.0)


@pytest.mark.parametrize("name", ["hourly-counts", "top-cells", "trend"])
def test_a_type_of_others_cannot_be_guessed(ask: Ask, name: str) -> None:
    secret = SENT["rival/feed"][0]
    assert ask(f"/{name}?{DAYS}&event_type={secret}").json()["rows"] == []
    own = ask(f"/{name}?{DAYS}&event_type=theft").json()["rows"]
    assert sum(row["count"] for row in own) == 2


def test_staff_with_the_permission_is_told_all(admin: Client) -> None:
    told = counts(admin.get(f"/api/v1/reports/hourly-counts?{DAYS}"))
    assert told == {
        "another secret": 1,
        "arson": 1,
        "launch of the secret product": 1,
        "theft": 2,
    }


def test_a_member_sees_the_events_of_the_organisation_only(db: None) -> None:
    user = User.objects.create_user("one")
    acme = Organisation.objects.create(slug="acme", name="Acme")
    Membership.objects.create(user=user, organisation=acme)
    client = Client()
    client.force_login(user)
    span = "from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z"
    events = client.get(f"/api/v1/events?region=chicago&{span}").json()["results"]
    assert {event["source"] for event in events} == {"acme/feed", "city"}
