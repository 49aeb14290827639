"""Hostile bodies and queries over every operation: never an answer of 5xx."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from riskplatform.api.keys.models import Membership, Scope
from scoring.models import Region
from tests.support.factories import make_client, make_organisation, make_portfolio

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.slow,
]

DEPTH = 2_000
SCALARS: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 2**64, 10**30, 0.5, -0.0),
    *(
        1e308,
        -1e308,
        5e-324,
        "",
        " ",
        "\0",
        "a\0b",
        "٣",
        "NaN",
        "1e999",
        "null",
        "true",
    ),
    *("chicago", "no-such-region", "882664cf65fffff", "8", "f" * 16, "x" * 5_000),
    *("2024-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "2024", "1970-01-01"),
    *("9999-12-31T23:59:59-14:00", "=HYPERLINK(1)", "' OR 1=1 --", "../../etc/passwd"),
    *("<script>", "%00", "{}", "[]", "💥" * 50, str(uuid4()), "json", "csv", "arrow"),
]
# Where a decoder has to read something else than one value a field.
RAW_BODIES = [
    *(b"", b"null", b"[]", b"{}", b'"x"', b"{", b"\xff\xfe", b"[1e999]", b'{"a":NaN}'),
    *(b"[" * DEPTH, b'{"a":' * DEPTH, b"1" * 5_000, b'{"time":1,"time":2}', b"\0"),
    b"external_id,lat\n1,2,3\n",
]
MEDIA = [
    *("application/json", "application/x-ndjson", "text/csv", "text/plain", ""),
    "application/json; charset=utf-16",
]

KEYS = ["k", "", "x" * 300, "a b", "%00", "'; --", "k" * 200]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the schema, and the names that its input may have."""

    method: str
    path: str
    queries: tuple[str, ...]
    fields: dict[str, Any]


@pytest.fixture
def callers(published_forecast: Region) -> list[Client]:
    user = User.objects.create_superuser("root", password="root")
    organisation = make_organisation()
    Membership.objects.create(
        organisation=organisation, user=user, role=Membership.Role.EDITOR
    )
    session = Client(raise_request_exception=False)
    session.force_login(user)
    keyed = make_client(organisation, scopes=tuple(Scope.values))
    keyed.raise_request_exception = False
    return [keyed, session, Client(raise_request_exception=False)]


@pytest.mark.parametrize(
    "n_requests", [1_500, pytest.param(10_000, marks=pytest.mark.long)]
)
def test_nothing_ends_in_an_error_of_the_server(
    n_requests: int, callers: list[Client], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("ERROR")
    rng = random.Random(11)  # noqa: S311 - repeatable, no secret
    portfolio = str(make_portfolio(n_assets=2).pk)
    operations = list(list_operations())
    answers: Counter[int] = Counter()
    failed = []
    for _ in range(n_requests):
        operation = rng.choice(operations)
        response = ask(rng.choice(callers), operation, rng, portfolio)
        if response.streaming:
            b"".join(response)
        answers[response.status_code // 100] += 1
        if response.status_code >= 500:
            failed.append((operation.method, operation.path, response.request))
    assert failed == []
    # Some of it is right, or the test would only see the first check of each view.
    assert answers[2] > n_requests / 100
    assert answers[4] > n_requests / 2


def ask(
    client: Client, operation: Operation, rng: random.Random, portfolio: str
) -> Any:
    path = fill(operation.path, rng, portfolio)
    query = {name: rng.choice(SCALARS) for name in some(operation.queries, rng)}
    query = {name: "" if value is None else value for name, value in query.items()}
    if rng.random() < 0.7:
        query |= {n: "chicago" for n in operation.queries if n == "region"}
    if operation.method == "get":
        return client.get(path, query)
    body = rng.choice(RAW_BODIES)
    if rng.random() < 0.85:
        fields = {name: value(part, rng) for name, part in operation.fields.items()}
        body = json.dumps(fields).encode()
    return client.generic(
        operation.method.upper(),
        path,
        body,
        "application/json" if rng.random() < 0.8 else rng.choice(MEDIA),
        query_params=query,
        headers={"Idempotency-Key": rng.choice(KEYS)} if rng.random() < 0.3 else None,
    )


def value(part: Any, rng: random.Random) -> Any:
    """Give a value as the schema wants it, or, three times in ten, a hostile one."""
    if rng.random() < 0.3:
        return rng.choice([rng.choice(SCALARS), [], {}, [[]], {"": None}])
    if options := part.get("anyOf"):
        return value(rng.choice(options), rng)
    if "enum" in part:
        return rng.choice(part["enum"])
    make = MAKERS.get(part.get("type", ""))
    return None if make is None else make(part, rng)


def _array(part: Any, rng: random.Random) -> list[Any]:
    return [value(part.get("items", {}), rng) for _ in range(rng.choice([0, 1, 2, 5]))]


def _object(part: Any, rng: random.Random) -> dict[str, Any]:
    return {name: value(p, rng) for name, p in part.get("properties", {}).items()}


def _number(part: Any, rng: random.Random) -> Any:
    return rng.choice([part.get("minimum", 0), part.get("maximum", 1), 0, 1, 86_400])


def _text(part: Any, rng: random.Random) -> str:
    if part.get("format") == "date-time":
        return "2024-01-01T00:00:00Z"
    return rng.choice(["chicago", "882664cf65fffff"])


MAKERS: dict[str, Callable[[Any, random.Random], Any]] = {
    "array": _array,
    "object": _object,
    "integer": _number,
    "number": _number,
    "string": _text,
    "boolean": lambda _part, rng: rng.choice([True, False]),
}


def fill(path: str, rng: random.Random, portfolio: str) -> str:
    for name in ("z", "x", "y"):
        path = path.replace(f"{{{name}}}", str(rng.choice([0, 1, 7, 30, 2**40])))
    while "{" in path:
        before, _, rest = path.partition("{")
        name, _, after = rest.partition("}")
        known = portfolio if "portfolio" in name else "chicago"
        path = before + rng.choice([known, known, str(uuid4()), "1", "trend"]) + after
    return path


def some(names: tuple[str, ...], rng: random.Random) -> list[str]:
    return [name for name in names if rng.random() < 0.4]


def list_operations() -> Iterator[Operation]:
    raw = json.loads(
        json.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str)
    )
    for path, operations in raw["paths"].items():
        for method, operation in operations.items():
            parameters = operation.get("parameters", [])
            yield Operation(
                method,
                path,
                tuple(p["name"] for p in parameters if p["in"] == "query"),
                _fields(raw, operation),
            )


def _fields(raw: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    for media in operation.get("requestBody", {}).get("content", {}).values():
        resolved = _resolved(raw, media["schema"])
        found: dict[str, Any] = resolved.get("properties", {})
        if found:
            return found
    return {}


def _resolved(raw: dict[str, Any], part: Any) -> Any:
    if isinstance(part, list):
        return [_resolved(raw, item) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _resolved(raw, raw["components"]["schemas"][part["$ref"].split("/")[-1]])
    return {key: _resolved(raw, item) for key, item in part.items()}
