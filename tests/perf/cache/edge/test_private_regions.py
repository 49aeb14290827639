"""An answer about a region is shared by those who may see it, and by nobody else."""

from collections.abc import Generator

import orjson
import pytest
from django.contrib.auth.models import Permission, User
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from perf.cache.edge.app import EdgeCache
from perf.cache.edge.assembly import build_edge_cache
from perf.cache.edge.routes import read_routes
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.services import issue_key
from scoring.models import Region
from scoring.services.regions import set_region_access
from tests.support.edge_harness import LOCAL_BYTES, Reply, ask, running_feed
from tests.support.factories import (
    DAY_S,
    ISSUED_FOR,
    make_forecast,
    make_organisation,
    make_region,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
TILE = "risk-map/tiles/9/131/190.mvt"


@pytest.fixture
def edge(transactional_db: None) -> Generator[EdgeCache]:
    for slug, owner in (("chicago", None), ("private", "acme")):
        owned_by = None if owner is None else make_organisation(owner)
        make_forecast(make_region(slug, owner=owned_by, is_public=owner is None))
    with running_feed() as feed:
        yield build_edge_cache(
            WSGIHandler(), feed=feed, routes=read_routes(), local_bytes=LOCAL_BYTES
        )


def key(slug: str, *scopes: str) -> dict[str, str]:
    wanted = scopes or (Scope.SCORES_READ,)
    issued = issue_key(make_organisation(slug), name="k", scopes=wanted)
    return {"HTTP_AUTHORIZATION": f"Bearer {issued.text.text}"}


def staff(*permissions: str) -> dict[str, str]:
    user = User.objects.create_user(f"staff-{User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return {"HTTP_COOKIE": f"sessionid={client.cookies['sessionid'].value}"}


def look(edge: EdgeCache, path: str, region: str, headers: dict[str, str]) -> Reply:
    if path == "score-snapshot":
        cells = list(Region.objects.get(slug=region).cells.values_list("h3")[0])
        body = {
            "region": region,
            "time": ISSUED_FOR.isoformat(),
            "horizon_sec": DAY_S,
            "cells": [{"cell_id": cell} for cell in cells],
            "n_scenarios": 2,
        }
        return ask(
            edge,
            f"/api/v1/{path}",
            method="POST",
            body=orjson.dumps(body),
            CONTENT_TYPE="application/json",
            **headers,
        )
    query = f"region={region}&horizon_sec={DAY_S}"
    return ask(edge, f"/api/v1/{path}", query=query, **headers)  # type: ignore[arg-type]


def told(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.came_from


@pytest.mark.parametrize("path", ["risk-map", TILE, "score-snapshot"])
def test_a_public_answer_is_everybodys(edge: EdgeCache, path: str) -> None:
    everybody = [{}, key("acme"), key("other"), key("acme", Scope.EVENTS_WRITE)]
    outcomes = [told(look(edge, path, "chicago", one)) for one in everybody]
    assert outcomes == [(200, "miss"), *[(200, "l1")] * 3]


@pytest.mark.parametrize("path", ["risk-map", TILE, "score-snapshot"])
def test_a_private_answer_is_shared_by_those_who_see_it(
    edge: EdgeCache, path: str
) -> None:
    assert told(look(edge, path, "private", key("acme"))) == (200, "miss")
    assert told(look(edge, path, "private", key("acme"))) == (200, "l1")
    strangers = [{}, key("other"), key("acme", Scope.PORTFOLIOS_READ)]
    for one in strangers * 2:
        assert look(edge, path, "private", one).status == 404


def test_staff_shares_by_permission(edge: EdgeCache) -> None:
    assert told(look(edge, "risk-map", "private", key("acme"))) == (200, "miss")
    seeing, blind = staff("view_region"), staff("view_event")
    assert told(look(edge, "risk-map", "private", seeing)) == (200, "l1")
    assert look(edge, "risk-map", "private", blind).status == 404
    User.objects.get(username="staff-0").user_permissions.clear()
    assert look(edge, "risk-map", "private", seeing).status == 404


def test_who_owns_a_region_is_heard(edge: EdgeCache) -> None:
    acme, other, region = key("acme"), key("other"), Region.objects.get(slug="private")
    look(edge, "risk-map", "private", acme)

    set_region_access(region, owner=make_organisation("other"), is_public=False)
    wait_until(lambda: look(edge, "risk-map", "private", acme).status == 404)
    assert look(edge, "risk-map", "private", other).status == 200

    set_region_access(region, owner=None, is_public=True)
    wait_until(lambda: told(look(edge, "risk-map", "private", {})) == (200, "l1"))
    assert told(look(edge, "risk-map", "private", acme)) == (200, "l1")

    set_region_access(region, owner=None, is_public=False)
    wait_until(lambda: look(edge, "risk-map", "private", {}).status == 404)
    for one in (acme, other):
        assert look(edge, "risk-map", "private", one).status == 404


def test_a_region_that_is_hidden_while_being_answered_is_kept_for_nobody(
    edge: EdgeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme, inner = key("acme"), edge._computing._app
    owner = make_organisation("acme")

    def hide_first(environ: object, start: object) -> object:
        # Past the services, so that nothing is published.
        Region.objects.filter(slug="chicago").update(is_public=False, owner=owner)
        return inner(environ, start)

    monkeypatch.setattr(edge._computing, "_app", hide_first)
    assert told(look(edge, "risk-map", "chicago", acme)) == (200, "miss")
    monkeypatch.setattr(edge._computing, "_app", inner)
    assert look(edge, "risk-map", "chicago", {}).status == 404


def test_a_hit_asks_the_database_nothing(edge: EdgeCache) -> None:
    acme = key("acme")
    for region in ("private", "chicago"):
        look(edge, "risk-map", region, acme)
        with CaptureQueriesContext(connection) as queries:
            assert told(look(edge, "risk-map", region, acme)) == (200, "l1")
        assert queries.captured_queries == []


def test_cells_without_a_region_are_those_of_regions_that_are_seen(
    edge: EdgeCache,
) -> None:
    # Both regions hold the cell: who sees one is answered, who sees both is not.
    cell = Region.objects.get(slug="chicago").cells.earliest("h3").h3
    body = {
        "time": ISSUED_FOR.isoformat(),
        "horizon_sec": DAY_S,
        "cells": [{"cell_id": cell}],
        "n_scenarios": 2,
    }

    def score(headers: dict[str, str]) -> int:
        return ask(
            edge,
            "/api/v1/score-snapshot",
            method="POST",
            body=orjson.dumps(body),
            CONTENT_TYPE="application/json",
            **headers,
        ).status

    people = [{}, key("other"), key("acme")]
    assert [score(one) for one in people * 2] == [200, 200, 404] * 2
