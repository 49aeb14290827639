"""Every operation, asked by everybody, about everything: who is let in is a table."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.access.principals import PRINCIPALS, Principal
from tests.access.table import TABLE, About, Ask, Touch
from tests.access.world import Thing, World, make_world

# Some views read in threads of their own, so the world is committed.
pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "clickhouse"]
)
METHODS = ("get", "post", "put", "patch", "delete")
CREDENTIALS = {"authorization", "x-api-key", "cookie", "x-organisation"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    name: str
    method: str
    path: str


def operations() -> list[Operation]:
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    return [
        Operation(name=described["operationId"], method=method.upper(), path=path)
        for path, methods in paths.items()
        for method, described in methods.items()
        if method in METHODS
    ]


OPERATIONS = operations()


def test_every_operation_of_the_schema_is_in_the_table() -> None:
    assert {operation.name for operation in OPERATIONS} == TABLE.keys()
    assert len(OPERATIONS) >= 73
    assert len(PRINCIPALS) >= 15


def test_everybody_gets_what_the_table_says() -> None:
    world = make_world()
    wrong = [
        f"{name}: {fault}"
        for name, principal in PRINCIPALS.items()
        for fault in faults(principal, world)
    ]
    assert wrong == []


def faults(principal: Principal, world: World) -> Iterator[str]:
    """Ask everything as one principal; say what is answered otherwise than told."""
    client = principal.connect()
    # What went wrong is told as it is for clients.
    client.raise_request_exception = False
    for operation in OPERATIONS:
        for ask in TABLE[operation.name]:
            for thing, words in things(ask, principal, world):
                expected = status_of(ask, principal, thing)
                response = send(client, operation, ask, words)
                about = f"{operation.name} about {thing.words.get('slug')}"
                if response.status_code != expected:
                    yield f"{about}: {response.status_code}, not {expected}"
                yield from (f"{about}: {fault}" for fault in header_faults(response))


def things(
    ask: Ask, principal: Principal, world: World
) -> Iterator[tuple[Thing, dict[str, Any]]]:
    """Give what an operation is asked about, with the words that fill it in."""
    own = next(
        (thing for thing in world.objects if thing.owner == principal.organisation),
        world.objects[0],
    )
    if ask.about is About.NOTHING:
        yield own, own.words
    for thing in world.objects if ask.about is About.OBJECT else ():
        yield thing, thing.words
    for thing in world.regions if ask.about is About.REGION else ():
        yield thing, {**own.words, **thing.words}


def status_of(ask: Ask, principal: Principal, thing: Thing) -> int:
    """Say what the answer is, from what is written down about the three."""
    is_unknown = not principal.is_known or (ask.keys_only and principal.is_signed_in)
    is_turned_away = not ask.admits(principal) or (ask.keys_only and is_unknown)
    if principal.is_refused or is_turned_away:
        return 401 if principal.is_refused or is_unknown else 403
    if ask.about is About.OBJECT:
        return ask.ok if thing.owner == principal.organisation else 404
    if ask.about is About.REGION:
        return region_status(ask, principal, thing)
    return ask.ok


def region_status(ask: Ask, principal: Principal, region: Thing) -> int:
    is_own = bool(region.owner) and region.owner == principal.organisation
    sees_as_member = region.is_public or (is_own and "scores:read" in principal.scopes)
    sees = sees_as_member or "scoring.view_region" in principal.permissions
    changes = (is_own and "models:write" in principal.scopes) or (
        "scoring.change_modelversion" in principal.permissions
    )
    allowed = {
        Touch.SEE: sees,
        Touch.SEE_AS_MEMBER: sees_as_member,
        Touch.SEE_OR_CHANGE: sees or changes,
        Touch.CHANGE: changes,
    }
    if allowed[ask.touch]:
        return ask.ok
    return 403 if ask.touch is Touch.CHANGE and sees else 404


def send(
    client: Client, operation: Operation, ask: Ask, words: Mapping[str, Any]
) -> Any:
    """Ask, and undo whatever came of it."""
    content = filled(ask.body, words)
    body = content if isinstance(content, str) else json.dumps(content)
    with transaction.atomic():
        response: Any = client.generic(
            operation.method,
            operation.path.format(**words),
            b"" if ask.body is None else body.encode(),
            ask.content_type,
            query_params=filled(dict(ask.query), words),
        )
        if response.streaming:
            b"".join(response.streaming_content)
        transaction.set_rollback(True)
    return response


def filled(part: Any, words: Mapping[str, Any]) -> Any:
    """Put words in the place of their names."""
    if isinstance(part, dict):
        return {name: filled(value, words) for name, value in part.items()}
    if isinstance(part, list):
        return [filled(value, words) for value in part]
    if isinstance(part, str) and part.startswith("$"):
        word = words[part[1:]]
        return word if isinstance(word, int) else str(word)
    return part


def header_faults(response: Any) -> Iterator[str]:
    """Say where an answer would let a cache give it to somebody else."""
    control = response.headers.get("Cache-Control", "")
    has_tag = "ETag" in response.headers and response.status_code == 200
    if control != f"private, {'no-cache' if has_tag else 'no-store'}":
        yield f"Cache-Control is {control!r}"
    named = {word.strip().lower() for word in response.headers["Vary"].split(",")}
    if missing := CREDENTIALS - named:
        yield f"Vary lacks {sorted(missing)}"
