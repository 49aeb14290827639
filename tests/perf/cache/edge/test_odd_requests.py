"""However a request is written, the cache answers as the view would."""

import gzip
from collections.abc import Generator
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from perf.cache.edge.app import EdgeCache
from perf.cache.edge.assembly import build_edge_cache
from perf.cache.edge.routes import read_routes
from scoring.models import Region
from tests.support.edge_harness import LOCAL_BYTES, Reply, ask, running_feed

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/v1/risk-map"
QUERY = "region=chicago&horizon_sec=86400"
NEVER = "Mon, 01 Jan 2001 00:00:00 GMT"
TOLD = ("Content-Type", "Content-Disposition", "Allow")


@pytest.fixture
def edge(published_forecast: Region, transactional_db: None) -> Generator[EdgeCache]:
    with running_feed() as feed:
        edge = build_edge_cache(
            WSGIHandler(), feed=feed, routes=read_routes(), local_bytes=LOCAL_BYTES
        )
        ask(edge, PATH, query=QUERY)
        yield edge


def look(app: Any, query: str, headers: dict[str, str]) -> Reply:
    # Errors quote the name of their request.
    return ask(app, PATH, query=query, HTTP_X_REQUEST_ID="a-name", **headers)  # type: ignore[arg-type]  # all are of the environment


def told(reply: Reply) -> tuple[object, ...]:
    """Leave out whether it is compressed: Django pads at random, and gives up."""
    headers = {name: reply.headers.get(name) for name in TOLD}
    etag = (reply.headers.get("ETag") or "").removeprefix("W/")
    is_zipped = reply.headers.get("Content-Encoding") == "gzip"
    body = gzip.decompress(reply.body) if is_zipped else reply.body
    return reply.status, headers, etag, body[:200]


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_IF_MATCH": '"other"'},
        {"HTTP_IF_UNMODIFIED_SINCE": NEVER},
        {"HTTP_IF_MODIFIED_SINCE": NEVER},
        {"HTTP_IF_NONE_MATCH": "*"},
        {"HTTP_IF_NONE_MATCH": '"a", *'},
        {"HTTP_ACCEPT": ""},
        {"HTTP_ACCEPT": "text/csv"},
        {"HTTP_ACCEPT": "text/html"},
        {"HTTP_ACCEPT_ENCODING": "gzip"},
        {"HTTP_AUTHORIZATION": "Basic Zm9vOmJhcg=="},
        {"HTTP_AUTHORIZATION": "bearer x"},
        {"HTTP_X_API_KEY": "\xff\xfe"},
        {"HTTP_RANGE": "bytes=0-3"},
        {"HTTP_X_ORGANISATION": "other"},
        {"HTTP_HOST": "evil.example"},
        {"HTTP_HOST": "testserver:9x"},
        {"HTTP_COOKIE": "sessionid"},
    ],
    ids=str,
)
def test_a_header_changes_what_it_would_change(
    edge: EdgeCache, headers: dict[str, str]
) -> None:
    expected = look(WSGIHandler(), QUERY, headers)
    replies = [look(edge, QUERY, headers) for _ in range(2)]
    assert [told(reply) for reply in replies] == [told(expected)] * 2


@pytest.mark.parametrize("encoding", [{}, {"HTTP_ACCEPT_ENCODING": "gzip"}], ids=str)
@pytest.mark.parametrize(
    "query",
    [
        f"{QUERY}&",
        f"&{QUERY}",
        f"{QUERY}&format=csv",
        f"{QUERY}&region=x",
        f"{QUERY}&horizon_sec=86400",
        "regio%6e=chicago&horizon_sec=86400",
        f"{QUERY}&%ff=1",
        f"{QUERY}&min_p=0.0",
        f"{QUERY}&bbox={'1' * 5_000}",
        "region=none&horizon_sec=86400",
    ],
)
def test_a_query_asks_what_it_would_ask(
    edge: EdgeCache, query: str, encoding: dict[str, str]
) -> None:
    expected = look(WSGIHandler(), query, encoding)
    replies = [look(edge, query, encoding) for _ in range(2)]
    assert [told(reply) for reply in replies] == [told(expected)] * 2


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "DELETE"])
def test_other_methods_are_the_views(edge: EdgeCache, method: str) -> None:
    expected, reply = (
        ask(app, PATH, method=method, query=QUERY, HTTP_X_REQUEST_ID="a-name")
        for app in (WSGIHandler(), edge)
    )
    assert told(reply) == told(expected)


def test_a_log_and_an_answer_name_a_request_alike(edge: EdgeCache) -> None:
    refused = ask(edge, PATH, query="region=none&horizon_sec=86400")
    assert refused.headers["X-Request-ID"].encode() in refused.body
