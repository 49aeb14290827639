"""A kept answer is the answer that the view gives, byte for byte."""

import gzip
from collections.abc import Generator
from typing import Any

import orjson
import pytest
from django.core.handlers.wsgi import WSGIHandler
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perf.cache.change_feed import ChangeFeed
from perf.cache.edge.app import EdgeCache
from perf.cache.edge.routes import read_routes
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.services import issue_key
from tests.support.edge_harness import LOCAL_BYTES, Reply, ask, running_feed
from tests.support.factories import make_organisation, make_portfolio, make_region
from tests.support.forecasts_with_events import make_forecast_with_events

PER_REQUEST = {"Age", "X-Cache", "X-Request-ID", "Cache-Control"}
HORIZONS = (86_400, 604_800)
INSTANT = "2024-01-01T12:00:00Z"
ACCEPTED = ("*/*", "application/json", "application/geo+json", "text/csv")

Question = tuple[str, str, str, bytes, str]


@pytest.fixture(scope="module")
def feeds() -> Generator[tuple[ChangeFeed, ChangeFeed]]:
    with running_feed() as one, running_feed() as other:
        yield one, other


@pytest.fixture
def world(transactional_db: None) -> tuple[str, str, list[int]]:
    """Give a key, a portfolio, and the cells of a region with two forecasts."""
    region, acme = make_region(), make_organisation()
    for horizon_sec in HORIZONS:
        make_forecast_with_events(region, horizon_sec=horizon_sec)
    portfolio = make_portfolio(acme, n_assets=7)
    key = issue_key(acme, name="k", scopes=list(Scope.values)).text.text
    cells = sorted(region.cells.values_list("h3", flat=True))
    return key, str(portfolio.pk), cells


def maps() -> st.SearchStrategy[Question]:
    parts = st.tuples(
        st.sampled_from(HORIZONS),
        st.sampled_from(["", "&min_p=0.05", "&bbox=-87.7,41.8,-87.6,41.9"]),
        st.sampled_from(ACCEPTED),
    )
    return parts.map(
        lambda part: (
            "GET",
            "risk-map",
            f"region=chicago&horizon_sec={part[0]}{part[1]}",
            b"",
            part[2],
        )
    )


def questions_of(portfolio: str, cells: list[int]) -> st.SearchStrategy[Question]:
    """Draw a question to one of the addresses whose answers are kept."""
    scoring = st.tuples(
        st.sampled_from(HORIZONS),
        st.lists(st.sampled_from(cells), min_size=1, max_size=3, unique=True),
        st.integers(1, 20),
    ).map(
        lambda part: post(
            "score-snapshot",
            region="chicago",
            time=INSTANT,
            horizon_sec=part[0],
            cells=[{"cell_id": cell} for cell in part[1]],
            n_scenarios=part[2],
        )
    )
    assessing = st.tuples(
        st.sampled_from(HORIZONS), st.sampled_from([[0.9], [0.5, 0.99]])
    ).map(
        lambda part: post(f"assess/{portfolio}", horizon_sec=part[0], quantiles=part[1])
    )
    looking = st.sampled_from(["24h", "7d", "30d"]).map(
        lambda span: get(f"dashboard/{portfolio}", f"timeframe={span}&time={INSTANT}")
    )
    others = st.sampled_from(
        [
            get("metrics", "region=chicago&limit=24"),
            get("features/snapshot", f"region=chicago&time={INSTANT}"),
            get("risk-map/tiles/9/131/190.mvt", "region=chicago&horizon_sec=86400"),
            post(
                "features/build-window",
                region="chicago",
                cell_ids=cells[:2],
                time=INSTANT,
                window_sizes_sec=[3_600, 86_400],
            ),
        ]
    )
    return maps() | scoring | assessing | looking | others


def get(path: str, query: str) -> Question:
    return "GET", path, query, b"", "*/*"


def post(path: str, **body: Any) -> Question:
    return "POST", path, "", orjson.dumps(body), "*/*"


def put(app: Any, key: str, question: Question, **headers: str) -> Reply:
    method, path, query, body, accept = question
    return ask(
        app,
        f"/api/v1/{path}",
        method=method,
        query=query,
        body=body,
        HTTP_ACCEPT=accept,
        HTTP_AUTHORIZATION=f"Bearer {key}",
        CONTENT_TYPE="application/json",
        **headers,
    )


@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_every_level_gives_what_the_view_gives(
    world: tuple[str, str, list[int]], feeds: tuple[ChangeFeed, ChangeFeed]
) -> None:
    key, portfolio, cells = world
    plain = WSGIHandler()
    here, there = (
        EdgeCache(
            plain,
            feed=feed,
            routes=read_routes(),
            local_bytes=LOCAL_BYTES,
            shared_from_s=0.0,
        )
        for feed in feeds
    )

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(questions_of(portfolio, cells))
    def check(question: Question) -> None:
        expected = put(plain, key, question)
        replies = [put(edge, key, question) for edge in (here, here, there, there)]
        assert [reply.came_from for reply in replies[1:]] == ["l1", "l2", "l1"] or (
            replies[0].came_from == "l1"
        )
        zipped = put(here, key, question, HTTP_ACCEPT_ENCODING="gzip")
        for reply in replies:
            assert told(reply) == told(expected)
        unzipped = (
            gzip.decompress(zipped.body)
            if zipped.headers.get("Content-Encoding") == "gzip"
            else zipped.body
        )
        assert unzipped == expected.body
        if "ETag" in expected.headers:
            again = put(
                here, key, question, HTTP_IF_NONE_MATCH=expected.headers["ETag"]
            )
            assert (again.status, again.body) == (304, b"")

    check()


def told(reply: Reply) -> tuple[int, dict[str, str], bytes]:
    """Leave out what belongs to one request, and where the answer was kept."""
    headers = {
        name: value for name, value in reply.headers.items() if name not in PER_REQUEST
    }
    # The order of directives changes from answer to answer; what they say does not.
    if (policy := headers.pop("Content-Security-Policy", None)) is not None:
        headers["policy"] = "; ".join(sorted(policy.split("; ")))
    return reply.status, headers, reply.body
