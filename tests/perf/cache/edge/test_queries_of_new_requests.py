"""A new score or map asks the database nothing that it has said before."""

import orjson
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test.utils import CaptureQueriesContext

from perf.cache.change_feed import feed
from perf.cache.edge.app import EdgeCache
from perf.cache.edge.routes import read_routes
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.services import issue_key
from scoring.models import Region
from scoring.services.regions import set_region_access
from tests.support.edge_harness import LOCAL_BYTES, Reply, ask
from tests.support.factories import (
    DAY_S,
    ISSUED_FOR,
    make_forecast,
    make_organisation,
    make_region,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def edge(transactional_db: None) -> EdgeCache:
    """Answer as a web process does, by the feed that all its caches rely on."""
    feed.listen_in_background()
    wait_until(lambda: feed.is_live)
    return EdgeCache(
        WSGIHandler(), feed=feed, routes=read_routes(), local_bytes=LOCAL_BYTES
    )


@pytest.fixture
def region(transactional_db: None) -> Region:
    region = make_region()
    make_forecast(region)
    return region


def ask_for_map(edge: EdgeCache, number: int, key: str = "") -> Reply:
    query = f"region=chicago&horizon_sec={DAY_S}&bbox=-180,-90,180,{80 + number}"
    if not key:
        return ask(edge, "/api/v1/risk-map", query=query)
    shown = f"Bearer {key}"
    return ask(edge, "/api/v1/risk-map", query=query, HTTP_AUTHORIZATION=shown)


def ask_for_score(edge: EdgeCache, cell: int) -> Reply:
    body = {
        "region": "chicago",
        "time": ISSUED_FOR.isoformat(),
        "horizon_sec": DAY_S,
        "cells": [{"cell_id": cell}],
        "n_scenarios": 5,
    }
    return ask(
        edge,
        "/api/v1/score-snapshot",
        method="POST",
        body=orjson.dumps(body),
        CONTENT_TYPE="application/json",
    )


def test_new_maps_cost_no_query(edge: EdgeCache, region: Region) -> None:
    assert ask_for_map(edge, 1).status == 200
    with CaptureQueriesContext(connection) as queries:
        replies = [ask_for_map(edge, number) for number in range(2, 8)]
    assert {(reply.status, reply.came_from) for reply in replies} == {(200, "miss")}
    assert len(queries) == 0


def test_new_scores_cost_no_query(edge: EdgeCache, region: Region) -> None:
    first, *others = sorted(region.cells.values_list("h3", flat=True))[:6]
    assert ask_for_score(edge, first).status == 200
    with CaptureQueriesContext(connection) as queries:
        replies = [ask_for_score(edge, cell) for cell in others]
    assert {(reply.status, reply.came_from) for reply in replies} == {(200, "miss")}
    assert len(queries) == 0


def test_with_a_key_at_most_its_own_is_read(edge: EdgeCache, region: Region) -> None:
    acme = make_organisation()
    issued = issue_key(acme, name="k", scopes=[Scope.SCORES_READ])
    key = issued.text.text
    assert ask_for_map(edge, 1, key).status == 200
    with CaptureQueriesContext(connection) as queries:
        replies = [ask_for_map(edge, number, key) for number in range(2, 8)]
    assert {reply.status for reply in replies} == {200}
    assert len(queries) <= 1


def test_a_new_forecast_is_seen_at_once(edge: EdgeCache, region: Region) -> None:
    old = orjson.loads(ask_for_map(edge, 1).body)["forecast_id"]
    newer = make_forecast(region, issued_for=ISSUED_FOR.replace(day=2))
    feed.publish({f"forecast:{region.slug}"})
    new = orjson.loads(ask_for_map(edge, 1).body)["forecast_id"]
    assert (old != new, new) == (True, str(newer.pk))


def test_a_region_made_private_is_closed_at_once(
    edge: EdgeCache, region: Region
) -> None:
    assert ask_for_map(edge, 1).status == 200
    set_region_access(region, owner=make_organisation(), is_public=False)
    assert [ask_for_map(edge, number).status for number in (1, 2)] == [404, 404]
