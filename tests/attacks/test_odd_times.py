"""Every time that the API takes: one that is none or cannot be stored is 422."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from riskplatform.api.keys.models import Membership
from scoring.models import Region
from tests.support.factories import make_organisation, make_portfolio

pytestmark = pytest.mark.django_db

DAY = "2024-01-01"
NO_TIMES = ["20240101", "2024", "45292", "1e9", DAY, "2024-01-01T00:00:00"]
EDGES = [
    *("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "1899-12-31T23:59:59Z"),
    *("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "2286-01-01T00:00:00Z"),
]
CELL = "882664cf65fffff"
# The smallest body that is right but for its time, by path and field.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("/api/v1/score-snapshot", "time"): {
        "region": "chicago",
        "horizon_sec": 86_400,
        "cells": [{"cell_id": CELL}],
    },
    ("/api/v1/features/build-window", "time"): {
        "region": "chicago",
        "cell_ids": [CELL],
        "window_sizes_sec": [86_400],
    },
    ("/api/v1/features/build-window", "known_at"): {
        "region": "chicago",
        "time": "2024-01-01T00:00:00Z",
        "cell_ids": [CELL],
        "window_sizes_sec": [86_400],
    },
    ("/api/v1/assess/{portfolio_id}", "time"): {},
    ("/api/v1/assess/batch", "time"): {"portfolio_ids": [str(uuid4())]},
    ("/api/v1/assess/what-if", "time"): {
        "region": "chicago",
        "assets": [{"reference": "a", "lat": 41.8, "lon": -87.6, "value": 1}],
    },
    ("/api/v1/alerts/{alert_id}/snooze", "until"): {},
}
REQUIRED = {
    "region": "chicago",
    "time": "2024-01-01T00:00:00Z",
    "from": "2024-01-01",
    "to": "2024-02-01",
}
# Decoded row by row, with a verdict for each: tests/analytics/inbox/test_lax_texts.py.
ROWS = {("/api/v1/events", "occurred_at")}


@pytest.fixture
def member(published_forecast: Region) -> Client:
    """Sign somebody in who may do everything for one organisation."""
    user = User.objects.create_superuser("root", password="root")
    Membership.objects.create(
        organisation=make_organisation(), user=user, role=Membership.Role.EDITOR
    )
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def address(db: None) -> Any:
    portfolio = make_portfolio(n_assets=1)

    def fill(path: str) -> str:
        names = {"portfolio_id": str(portfolio.pk), "alert_id": str(uuid4())}
        names["name"] = "trend"
        return path.format(**names, z=0, x=0, y=0)

    return fill


def test_the_bodies_are_those_of_the_schema() -> None:
    assert {(path, name) for path, name in times_in_bodies(schema())} == {
        *BODIES,
        *ROWS,
    }


@pytest.mark.parametrize("text", NO_TIMES + EDGES)
def test_queries_refuse_it(member: Client, address: Any, text: str) -> None:
    refused = {
        (path, name): member.get(address(path), {**others, name: text})
        for path, name, others in times_in_queries(schema())
        # There a day is as good as a time.
        if not (text == DAY and name in {"from", "to"})
    }
    assert len(refused) >= (6 if text == DAY else 10)
    assert_all_point_at_the_value(refused)


@pytest.mark.parametrize("text", ["2024", "20240101", "45292", "2024-01-01T00:00:00"])
def test_a_date_of_a_report_is_a_date(member: Client, text: str) -> None:
    query = {"region": "chicago", "from": text, "to": "2024-02-01"}
    refused = {("", "from"): member.get("/api/v1/reports/trend", query)}
    assert_all_point_at_the_value(refused)


@pytest.mark.parametrize("text", ["1_0", "+1", "01", " 1", "NaN", "inf", "1e999", "٣"])
def test_a_number_of_a_query_is_one_that_json_would_write(
    member: Client, text: str
) -> None:
    refused = {
        ("", name): member.get("/api/v1/risk-map", {"region": "chicago", name: text})
        for name in ("min_p", "horizon_sec")
    }
    box = {"region": "chicago", "bbox": f"-90,{text},-80,45"}
    if text.strip() == text:
        refused["", "bbox"] = member.get("/api/v1/risk-map", box)
    assert_all_point_at_the_value(refused)


@pytest.mark.parametrize("text", NO_TIMES + EDGES)
def test_bodies_refuse_it(member: Client, address: Any, text: str) -> None:
    assert_all_point_at_the_value(
        {
            (path, name): member.post(
                address(path), {**body, name: text}, content_type="application/json"
            )
            for (path, name), body in BODIES.items()
        }
    )


def assert_all_point_at_the_value(refused: dict[tuple[str, str], Any]) -> None:
    assert {
        path: response.status_code
        for (path, name), response in refused.items()
        if response.status_code != 422
        or [error["pointer"] for error in response.json()["errors"]] != [f"/{name}"]
    } == {}


def schema() -> dict[str, Any]:
    raw = SchemaGenerator().get_schema(request=None, public=True)
    read: dict[str, Any] = json.loads(json.dumps(raw, default=str))
    return read


def times_in_queries(
    raw: dict[str, Any],
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Give path, name of the time, and the other parameters that are required."""
    for path, operations in raw["paths"].items():
        parameters = [
            part
            for part in operations.get("get", {}).get("parameters", [])
            if part["in"] == "query"
        ]
        required = {
            part["name"]: REQUIRED[part["name"]]
            for part in parameters
            if part.get("required")
        }
        for part in parameters:
            if "date-time" in json.dumps(part["schema"]):
                yield path, part["name"], required


def times_in_bodies(raw: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, operations in raw["paths"].items():
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {})
            for media in content.values():
                for name, part in _properties(raw, media["schema"]).items():
                    if "date-time" in json.dumps(part):
                        yield path, name


def _properties(raw: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in part:
        part = raw["components"]["schemas"][part["$ref"].rpartition("/")[2]]
    if "items" in part:
        return _properties(raw, part["items"])
    found: dict[str, Any] = part.get("properties", {})
    return found
