"""Whose a region is can be changed, and holds everywhere from then on."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from riskplatform.api.keys.models import Organisation, Scope
from scoring.models import Alert, Assessment, Region
from scoring.services.alerts.evaluation import evaluate_due_rules
from scoring.services.regions import set_region_access
from tests.access.world import make_world
from tests.scoring.alerts.watching import make_rule, publish
from tests.support.factories import make_client, make_organisation, make_region

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(db: None) -> Organisation:
    return make_organisation("acme")


def test_a_command_gives_a_region_to_an_organisation_and_takes_it_back(
    acme: Organisation,
) -> None:
    region = make_region(is_public=False)
    client = make_client(acme)
    address = "/api/v1/regions/chicago"
    assert client.get(address).status_code == 404
    assert "organisation acme and is private" in change("--organisation", "acme")
    assert client.get(address).status_code == 200
    assert "organisation acme and is public" in change("--public")
    assert Client().get(address).status_code == 200
    assert "the installation and is private" in change("--installation", "--private")
    assert client.get(address).status_code == 404
    region.refresh_from_db()
    assert (region.owner, region.is_public) == (None, False)


def change(*options: str) -> str:
    out = StringIO()
    call_command("set_region_access", "chicago", *options, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    "words", [("nowhere",), ("chicago", "--organisation", "nobody")]
)
def test_the_command_says_what_is_not_there(words: tuple[str, ...], db: None) -> None:
    make_region()
    with pytest.raises(CommandError, match=r"There is no (region|organisation)"):
        call_command("set_region_access", *words)


def test_who_sees_a_region_no_more_is_told_nothing_of_it(acme: Organisation) -> None:
    world = make_world()
    mine = next(thing for thing in world.objects if thing.owner == "acme").words
    client = make_client(acme)
    addresses = [
        f"/api/v1/assessments/{mine['assessment_id']}",
        f"/api/v1/alerts/{mine['alert_id']}/history",
    ]
    lists = ["/api/v1/alerts", f"/api/v1/portfolios/{mine['portfolio_id']}/assessments"]
    assert [client.get(address).status_code for address in addresses] == [200, 200]
    assert all(client.get(address).json()["results"] for address in lists)

    shared = Region.objects.get(slug="shared")
    set_region_access(shared, owner=make_organisation("other"), is_public=False)

    assert [client.get(address).status_code for address in addresses] == [404, 404]
    assert not any(client.get(address).json()["results"] for address in lists)
    assert (Alert.objects.count(), Assessment.objects.count()) == (2, 2)
    # The rule is still its own, to be changed or deleted.
    assert client.get(f"/api/v1/alert-rules/{mine['rule_id']}").status_code == 200


def test_a_rule_about_a_region_that_is_hidden_fires_no_more(acme: Organisation) -> None:
    region = make_region()
    make_rule(region, organisation=acme)
    hot = {region.cells.earliest("h3").h3: 0.9}
    set_region_access(region, owner=None, is_public=False)
    publish(region, hot)
    assert evaluate_due_rules().opened_count == 0
    set_region_access(region, owner=acme, is_public=False)
    assert evaluate_due_rules().opened_count == 1


def test_lists_name_no_region_that_is_not_seen(acme: Organisation) -> None:
    make_world()
    seen = {"shared", "shared-by-acme", "of-acme"}
    client = make_client(acme)
    for address in ("regions", "models", "forecasts"):
        rows = client.get(f"/api/v1/{address}").json()["results"]
        assert {row.get("slug", row.get("region")) for row in rows} == seen
    page = client.get("/").content
    assert b"of-other" not in page
    assert b"of-nobody" not in page


def test_a_key_that_lacks_the_scope_is_told_so_wherever_it_asks(
    acme: Organisation,
) -> None:
    make_region(is_public=False, owner=acme)
    writer = make_client(acme, scopes=[Scope.EVENTS_WRITE])
    for address in ("regions/chicago", "regions/nowhere", "events?region=chicago"):
        answer = writer.get(f"/api/v1/{address}")
        assert answer.status_code in {403, 404}
        assert "scope scores:read" in answer.json()["detail"]
