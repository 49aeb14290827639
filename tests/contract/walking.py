"""Calls the platform as a client does that knows nothing but its schema."""

import importlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import quote

import httpx

TIMEOUT_S = 60.0
METHODS = ("get", "post", "put", "patch", "delete")
REPLAYED = "Idempotency-Replayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    method: str
    path: str
    module: str


def _body_type(operation: Any) -> Any:
    """Give the type of a body; one that may be absent is a union with that."""
    wanted = inspect.get_annotations(operation.sync_detailed)["body"]
    kinds = get_args(wanted) or (wanted,)
    return next(kind for kind in kinds if hasattr(kind, "from_dict"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Someone with a key, or without, and what the schema told them."""

    url: str
    key: str | None
    package: str
    operations: Mapping[str, Operation]

    def call(self, operation_id: str, *, body: Any = None, **parameters: Any) -> Any:
        """Ask by the generated client; what the schema does not name is an error."""
        client_module = importlib.import_module(self.package)
        operation = importlib.import_module(self.operations[operation_id].module)
        if body is not None:
            parameters["body"] = _body_type(operation).from_dict(body)
        options: dict[str, Any] = {
            "base_url": self.url,
            "raise_on_unexpected_status": True,
            "timeout": httpx.Timeout(TIMEOUT_S),
        }
        if self.key is None:
            known = client_module.Client(**options)
        else:
            known = client_module.AuthenticatedClient(token=self.key, **options)
        with known as client:
            return operation.sync_detailed(client=client, **parameters)

    def get(self, operation_id: str, **parameters: Any) -> Any:
        """Ask by the generated client for what has to be there; give its body."""
        answer = self.call(operation_id, **parameters)
        assert answer.status_code < 300, answer.content
        return answer.parsed

    def send(
        self,
        operation_id: str,
        *,
        path: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Ask by plain HTTP; only the method and the path are from the schema."""
        operation = self.operations[operation_id]
        steps = {name: quote(str(step)) for name, step in (path or {}).items()}
        shown = {} if self.key is None else {"Authorization": f"Bearer {self.key}"}
        return httpx.request(
            operation.method,
            self.url + operation.path.format(**steps),
            headers={**shown, **(headers or {})},
            timeout=TIMEOUT_S,
            **options,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Two organisations with every scope, two keys with one each, and nobody."""

    acme: Caller
    other: Caller
    feed: Caller
    reader: Caller
    nobody: Caller


def operations_of(schema: Mapping[str, Any], *, package: str) -> dict[str, Operation]:
    return {
        operation["operationId"]: Operation(
            method=method.upper(),
            path=path,
            module=f"{package}.api.{operation['tags'][0].replace('-', '_')}"
            f".{operation['operationId']}",
        )
        for path, method, operation in _operations(schema)
    }


def require_guarded(
    cast: Cast,
    operation_id: str,
    *,
    limited: Caller | None = None,
    is_shared: bool = False,
    **parameters: Any,
) -> None:
    """Ask as nobody, with a key for something else, and as another organisation."""
    strangers = [(cast.nobody, 401), (limited or cast.feed, 403)]
    for caller, status in [*strangers, *([] if is_shared else [(cast.other, 404)])]:
        answer = caller.call(operation_id, **parameters)
        assert (answer.status_code, answer.parsed.status) == (status, status)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.parsed.request_id == answer.headers["X-Request-ID"]


def require_answered_once(
    caller: Caller,
    operation_id: str,
    *,
    bodies: Sequence[dict[str, Any]],
    **parameters: Any,
) -> Any:
    """Send one body twice and another one, all with one key; give the first answer."""
    one, other = bodies
    parameters["idempotency_key"] = f"walk-{operation_id}"
    first, again = (caller.call(operation_id, body=one, **parameters) for _ in range(2))
    assert first.status_code < 300, first.content
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    refused = caller.call(operation_id, body=other, **parameters)
    assert (refused.status_code, refused.parsed.code) == (
        *(422, "idempotency_key_reused"),
    )
    return first.parsed


def require_unchanged(caller: Caller, operation_id: str, **options: Any) -> None:
    """Read something twice; the second time its tag is enough."""
    first = caller.send(operation_id, **options)
    assert first.status_code == 200
    again = caller.send(
        operation_id, headers={"If-None-Match": first.headers["ETag"]}, **options
    )
    assert (again.status_code, again.content) == (304, b"")


def require_known_fields(
    caller: Caller, operation_id: str, *, body: dict[str, Any], **options: Any
) -> None:
    """Send a field too many; the answer points at it."""
    refused = caller.send(operation_id, json={**body, "colour": "red"}, **options)
    (error,) = refused.json()["errors"]
    assert (refused.status_code, "colour" in error["reason"]) == (422, True)
    assert error["pointer"] == "/colour"


def _operations(
    schema: Mapping[str, Any],
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                yield path, method, methods[method]
