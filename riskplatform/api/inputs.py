"""Typed input: bodies and query strings are decoded into msgspec structs.

A struct is the single description of an input: it parses, it validates, and it is
what the OpenAPI schema shows.
"""

import re
from typing import Any, TypeVar

import msgspec
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from riskplatform.kernel.errors import ApplicationError, InvalidInputError

Struct = TypeVar("Struct", bound=msgspec.Struct)

MESSAGE = re.compile(r"^(?P<reason>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>.*)`$", re.DOTALL)
STEP = re.compile(r"\.([^.\[\]]+)|\[([^\]]+)\]")


class MalformedBodyError(ApplicationError):
    code = "malformed_body"
    title = "The body is not JSON"
    status = 400


def decode_body(request: Request, kind: type[Struct]) -> Struct:
    """Parse and validate a JSON body.

    Raises
    ------
    MalformedBodyError
        It is not JSON.
    InvalidInputError
        It is JSON of another shape; `errors` has a JSON pointer and a reason.
    """
    try:
        return msgspec.json.decode(request.body, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBodyError(f"The body is not JSON: {error}.") from error


def decode_query(request: Request, kind: type[Struct]) -> Struct:
    """Parse and validate a query string; each name may be given once."""
    for name, values in request.query_params.lists():
        if len(values) > 1:
            raise invalid_input(f"/{name}", f"{name} is given {len(values)} times.")
    try:
        return msgspec.convert(request.query_params.dict(), type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error


def invalid_input(pointer: str, reason: str) -> InvalidInputError:
    return InvalidInputError(reason, errors=[{"pointer": pointer, "reason": reason}])


def body_schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Describe a struct for `extend_schema(request=…, responses=…)`, inlined."""
    schema, parts = msgspec.json.schema_components(
        [kind], ref_template="#/parts/{name}"
    )
    inlined: dict[str, Any] = _inline(schema[0], parts)
    return inlined


def query_parameters(kind: type[msgspec.Struct]) -> list[OpenApiParameter]:
    schema = body_schema(kind)
    return [
        OpenApiParameter(
            name,
            type={k: v for k, v in part.items() if k != "description"},
            required=name in schema.get("required", ()),
            description=part.get("description", ""),
        )
        for name, part in schema["properties"].items()
    ]


def _invalid(error: msgspec.ValidationError) -> InvalidInputError:
    match = MESSAGE.match(str(error))
    if match is None:
        return invalid_input("", str(error))
    pointer = _pointer(match["path"] or "$")
    if (unknown := UNKNOWN.match(match["reason"])) is not None:
        name = unknown["name"].replace("~", "~0").replace("/", "~1")
        pointer = f"{pointer}/{name}"
    return invalid_input(pointer, f"{match['reason']}.")


def _pointer(path: str) -> str:
    """Turn msgspec's `$.cells[0].cell_id` into `/cells/0/cell_id`."""
    return "".join(f"/{name or index}" for name, index in STEP.findall(path))


def _inline(schema: Any, parts: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inline(item, parts) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inline(parts[schema["$ref"].removeprefix("#/parts/")], parts)
    return {key: _inline(value, parts) for key, value in schema.items()}
