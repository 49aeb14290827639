"""A view that is called without Django's handler answers as with it, or not at all."""

import io
import json
from collections.abc import Iterable
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from pytest_django import DjangoAssertNumQueries

from perf.cache.edge.direct import DirectViews
from scoring.models import Region
from tests.support.factories import DAY_S

pytestmark = pytest.mark.django_db(transaction=True)
# Header by header but for these, which say when and where a response was made.
OF_ONE_RESPONSE = {"X-Request-ID"}
Answer = tuple[str, dict[str, str], bytes]


class Counted:
    def __init__(self) -> None:
        self.django = WSGIHandler()
        self.n_calls = 0

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        self.n_calls += 1
        return self.django(environ, start)


def environ_of(
    path: str, query: str = "", body: Any = None, **more: str
) -> dict[str, Any]:
    content = b"" if body is None else json.dumps(body).encode()
    return {
        "REQUEST_METHOD": "GET" if body is None else "POST",
        "PATH_INFO": f"/api/v1/{path}",
        "QUERY_STRING": query,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(content)),
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "HTTP_HOST": "testserver",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_X_REQUEST_ID": "of-the-test",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": io.StringIO(),
        **more,
    }


def answer(app: Any, *args: Any, **more: Any) -> Answer:
    started: list[Any] = []
    body = app(environ_of(*args, **more), lambda *given: started.append(given))
    content = b"".join(body)
    status, headers = started[0][:2]
    kept = {name: value for name, value in headers if name not in OF_ONE_RESPONSE}
    return status, kept, content


def score_of(region: Region) -> dict[str, Any]:
    cells = region.cells.values_list("h3", flat=True)[:3]
    return {
        "region": region.slug,
        "time": "2030-01-01T00:00:00Z",
        "horizon_sec": DAY_S,
        "cells": [{"cell_id": cell} for cell in cells],
        "n_scenarios": 5,
    }


@pytest.mark.parametrize(
    ("query", "more"),
    [
        (f"region=chicago&horizon_sec={DAY_S}", {}),
        (f"region=chicago&horizon_sec={DAY_S}&format=geojson", {}),
        (f"region=chicago&horizon_sec={DAY_S}", {"HTTP_ACCEPT": "text/csv"}),
        (f"region=chicago&horizon_sec={DAY_S}&min_p=1", {}),
    ],
)
def test_maps_are_the_same_with_all_their_headers(
    published_forecast: Region, query: str, more: dict[str, str]
) -> None:
    counted = Counted()
    direct = DirectViews(counted)
    expected = answer(counted.django, "risk-map", query, **more)
    assert answer(direct, "risk-map", query, **more) == expected
    assert expected[0] == "200 OK"
    assert not counted.n_calls


def test_scores_are_the_same_with_all_their_headers(published_forecast: Region) -> None:
    counted, body = Counted(), score_of(published_forecast)
    expected = answer(counted.django, "score-snapshot", body=body)
    assert answer(DirectViews(counted), "score-snapshot", body=body) == expected
    assert expected[0] == "200 OK"
    assert not counted.n_calls


@pytest.mark.parametrize(
    ("path", "query", "more"),
    [
        ("risk-map", "region=nowhere", {}),
        ("risk-map", "region=chicago&horizon_sec=x", {}),
        (
            "risk-map",
            f"region=chicago&horizon_sec={DAY_S}",
            {"HTTP_COOKIE": "sessionid=a"},
        ),
        (
            "risk-map",
            f"region=chicago&horizon_sec={DAY_S}",
            {"HTTP_X_REQUEST_TIMEOUT": "0"},
        ),
        ("nothing-here", "", {}),
    ],
)
def test_errors_and_sessions_are_left_to_django(
    published_forecast: Region, path: str, query: str, more: dict[str, str]
) -> None:
    counted = Counted()
    expected = answer(counted.django, path, query, **more)
    assert answer(DirectViews(counted), path, query, **more) == expected
    assert counted.n_calls == 1


def test_a_body_is_read_again_by_django(published_forecast: Region) -> None:
    counted, body = Counted(), score_of(published_forecast) | {"n_scenarios": 0}
    status, _, problem = answer(DirectViews(counted), "score-snapshot", body=body)
    assert counted.n_calls == 1
    assert status.startswith("422")
    assert json.loads(problem)["errors"][0]["pointer"] == "/n_scenarios"


def test_a_redirect_to_https_is_left_to_django(published_forecast: Region) -> None:
    counted, query = Counted(), f"region=chicago&horizon_sec={DAY_S}"
    with override_settings(SECURE_SSL_REDIRECT=True):
        counted.django = WSGIHandler()
        status, headers, _ = answer(DirectViews(counted), "risk-map", query)
    assert status.startswith("301")
    assert headers["Location"].startswith("https://testserver/")


def test_no_query_goes_to_a_middleware(
    published_forecast: Region, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    direct, query = DirectViews(Counted()), f"region=chicago&horizon_sec={DAY_S}"
    answer(direct, "risk-map", query)
    # Of the region and of the forecast, while no change is heard of.
    with django_assert_num_queries(2):
        answer(direct, "risk-map", query)
