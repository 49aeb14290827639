"""What every operation of the schema shares: named structs, problems, either key."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from drf_spectacular.utils import OpenApiParameter

PROBLEM = {
    "title": "Problem",
    "type": "object",
    "description": "RFC 9457. `code` is for machines, `detail` for people.",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "reason"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer."},
                    "reason": {"type": "string"},
                },
            },
        },
    },
}
# Status: name of the response, code and detail of its example.
PROBLEMS = {
    "400": ("Malformed", "malformed_body", "The body is not JSON."),
    "401": ("Unauthenticated", "not_authenticated", "This needs an API key."),
    "403": (
        "Forbidden",
        "permission_denied",
        "This needs a key or a membership with the scope portfolios:read.",
    ),
    "404": ("NotFound", "not_found", "There is nothing at this address."),
    "406": ("NotAcceptable", "not_acceptable", "There is no such format here."),
    "409": (
        "Conflict",
        "request_in_progress",
        "A request with this Idempotency-Key is being worked on.",
    ),
    "412": ("PreconditionFailed", "precondition_failed", "It has changed meanwhile."),
    "413": ("TooLarge", "body_too_large", "The body is larger than this server takes."),
    "414": (
        "AddressTooLong",
        "address_too_long",
        "The query has more than 32,768 characters.",
    ),
    "415": ("UnsupportedMedia", "unsupported_media_type", "Send JSON."),
    "422": ("Invalid", "invalid_input", "limit is at most 1000."),
    "429": ("TooManyRequests", "throttled", "Ask again in 3 s."),
    "503": ("Unavailable", "unavailable", "The database does not answer."),
}


# Of `Page[JobStatus]` the schema is called JobList.
PAGE = re.compile(rb'Page[_[](\w+?)(?:Detail|Summary|Status)?[_\]](?=")')
# The structs of all endpoints, by name: clients get one type each.
STRUCTS: dict[str, Any] = {}


def struct_schema(kind: Any) -> dict[str, Any]:
    """Refer to a struct, or describe a type made of structs, and note its parts."""
    described = msgspec.json.schema_components(
        [kind], ref_template="#/components/schemas/{name}"
    )
    renamed = PAGE.sub(rb"\1List", msgspec.json.encode(described))
    (schema,), parts = msgspec.json.decode(renamed)
    for name, part in parts.items():
        if STRUCTS.setdefault(name, part) != part:
            raise ValueError(f"Two structs of the API are called {name}; rename one.")
    return dict(schema)


def query_parameters(kind: type[msgspec.Struct]) -> list[OpenApiParameter]:
    schema = msgspec.json.schema(kind)["$defs"][kind.__name__]
    return [
        OpenApiParameter(
            name,
            type={k: v for k, v in part.items() if k != "description"},
            required=name in schema.get("required", ()),
            description=_text_of(part),
        )
        for name, part in schema["properties"].items()
    ]


def _text_of(part: dict[str, Any]) -> str:
    """Give the description, which may be that of one of several forms."""
    forms = [part, *part.get("anyOf", ())]
    return next(filter(None, (form.get("description") for form in forms)), "")


def add_structs(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    result.setdefault("components", {}).setdefault("schemas", {}).update(STRUCTS)
    return result


def document_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Give every operation the problems that it may answer with.

    A view names by its status a problem that does not follow from its kind.
    """
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["responses"] = {
        name: _response(status, code, detail)
        for status, (name, code, detail) in PROBLEMS.items()
    }
    for method, operation in _operations(result):
        if "requestBody" in operation:
            operation["requestBody"]["required"] = _is_needed(operation)
        responses = operation["responses"]
        for code in {*_possible(method, operation), *(responses.keys() & PROBLEMS)}:
            name = PROBLEMS[code][0]
            responses[code] = {"$ref": f"#/components/responses/{name}"}
    return result


def allow_either_key(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say that one of the two ways to show a key is enough."""
    for _method, operation in _operations(result):
        operation["security"] = [
            {name: scopes}
            for needed in operation.get("security", [])
            for name, scopes in needed.items()
        ] + [needed for needed in operation.get("security", []) if not needed]
    return result


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for methods in result["paths"].values():
        yield from methods.items()


def _is_needed(operation: dict[str, Any]) -> bool:
    """Return whether a body has to be there; one without required fields has not."""
    contents = operation["requestBody"]["content"].values()
    named = [body["schema"].get("$ref", "").rpartition("/")[2] for body in contents]
    return any(STRUCTS.get(name, {"required": True}).get("required") for name in named)


def _possible(method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield from ("401", "403", "404", "406", "429", "503")
    if method != "get":
        # A name is taken, or others depend on what is deleted.
        yield "409"
    if "requestBody" in operation:
        yield from ("400", "413", "415")
    if "requestBody" in operation or operation.get("parameters"):
        yield "422"
    if any(part["in"] == "query" for part in operation.get("parameters", ())):
        yield "414"
    headers = {part["name"] for part in operation.get("parameters", ())}
    if "Idempotency-Key" in headers:
        yield "400"
    if "If-Match" in headers:
        yield "412"


def _response(status: str, code: str, detail: str) -> dict[str, Any]:
    title = PROBLEMS[status][0]
    example = {
        "type": f"/problems/{code.replace('_', '-')}",
        "title": title,
        "status": int(status),
        "code": code,
        "detail": detail,
        "request_id": "0f9b6d1c5e0b4f3a9d6f1f4d7a1c2b3e",
    }
    return {
        "description": detail,
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": example,
            }
        },
    }
