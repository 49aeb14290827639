"""Every list of the API costs the same number of queries for one row and for twenty."""

from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.riskplatform.api.list_makers import LIST_MAKERS
from tests.support.factories import make_client, make_organisation
from tests.support.query_counts import queries_of

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
MOST_QUERIES = 8
# A list that no row of the database is in.
REPORTS = "/api/v1/reports"


def lists() -> list[str]:
    """Find the answers that are lists: they have results, or a page after them."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return [
        path
        for path, operations in schema["paths"].items()
        if path != REPORTS
        and {"results", "next"} & set(answer_of(schema, operations.get("get", {})))
    ]


def answer_of(schema: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("responses", {}).get("200", {}).get("content", {})
    body = content.get("application/json", {}).get("schema", {})
    named = schema["components"]["schemas"].get(body.get("$ref", "").split("/")[-1])
    properties: dict[str, Any] = (named or body).get("properties", {})
    return properties


@pytest.mark.parametrize("path", lists())
def test_a_list_costs_the_same_for_one_row_and_for_twenty(path: str) -> None:
    maker = LIST_MAKERS.get(path)
    assert maker is not None, f"Add {path} to tests/riskplatform/api/list_makers.py."
    organisation = make_organisation()
    client = make_client(organisation)
    address = maker(organisation, range(1))
    one, first = queries_of(client, address), row_count(client, address)
    assert maker(organisation, range(1, 20)) == address
    assert queries_of(client, address) == one
    assert row_count(client, address) - first >= 19
    assert one <= MOST_QUERIES


def test_no_maker_is_left_over() -> None:
    assert set(LIST_MAKERS) == set(lists())


def row_count(client: Client, address: str) -> int:
    answer: dict[str, Any] = client.get(address).json()
    return max(len(rows) for rows in answer.values() if isinstance(rows, list))
