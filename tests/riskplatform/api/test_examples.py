"""Every operation has an example, which is what it is really asked and answers.

With WRITE_EXAMPLES=1 in its environment the test writes those that differ anew.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riskplatform.api import openapi_texts
from riskplatform.api.openapi_texts import examples
from tests.access.principals import PRINCIPALS
from tests.access.table import TABLE, Ask
from tests.access.test_access_matrix import OPERATIONS, Operation, filled, send, things
from tests.access.world import make_world

# Some views read in threads of their own, so the world is committed.
pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "clickhouse"]
)
MOST_ROWS = 2
MOST_MEMBERS = 12
MOST_CHARS = 2_000
# Shown once, and not in documents.
SECRETS = ("secret", "ticket")
# It has not failed, so it is not put into the queue again.
WITHOUT = {"jobs_retry"}


def test_every_operation_answers_as_its_example_says() -> None:
    found = dict(asked())
    if os.environ.get("WRITE_EXAMPLES"):
        before = examples()
        # What has kept its form stays as it is, ids and times included.
        kept = {
            name: before[name] if shape(before.get(name)) == shape(example) else example
            for name, example in found.items()
        }
        path = Path(openapi_texts.__file__).with_name("examples.json")
        path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
        examples.cache_clear()
    told = examples()
    assert found.keys() == told.keys() == TABLE.keys() - WITHOUT
    for name, example in found.items():
        assert shape(example) == shape(told[name]), f"{name}: write its example anew."


def asked() -> Iterator[tuple[str, dict[str, Any]]]:
    """Ask everything as somebody who may, about what is their own."""
    principal, world = PRINCIPALS["key with every scope"], make_world()
    client = principal.connect()
    for operation in OPERATIONS:
        if operation.name not in WITHOUT:
            ask = TABLE[operation.name][-1]
            own = [
                words
                for thing, words in things(ask, principal, world)
                if thing.owner in {"acme", ""} and thing.words.get("slug") != "shared"
            ]
            words = own[-1] if ask.about.value == "object" else own[0]
            answer = send(client, operation, ask, words)
            assert answer.status_code == ask.ok, (operation.name, answer.content)
            yield operation.name, example_of(operation, ask, words, answer)


def example_of(
    operation: Operation, ask: Ask, words: dict[str, Any], answer: Any
) -> dict[str, Any]:
    is_json = answer.get("Content-Type") == "application/json"
    return {
        "query": filled(dict(ask.query), words),
        "content_type": ask.content_type,
        "body": plain(filled(ask.body, words)),
        "status": answer.status_code,
        "answer": shortened(answer.json()) if is_json else None,
    }


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


def shortened(value: Any) -> Any:
    """Keep the first rows of a list and the first members of a wide object."""
    if isinstance(value, list):
        return [shortened(item) for item in value[:MOST_ROWS]]
    if isinstance(value, dict):
        members = list(value.items())[: MOST_MEMBERS * 3]
        return {
            name: "…" if name in SECRETS else shortened(item) for name, item in members
        }
    return value


def shape(value: Any) -> Any:
    """Keep the names of members; what is null may be there another time."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else None


def test_an_example_is_short() -> None:
    for name, example in examples().items():
        assert len(json.dumps(example["answer"])) <= 10 * MOST_CHARS, name
