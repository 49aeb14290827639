"""Typed input: bodies and query strings are decoded into msgspec structs.

A struct is the single description of an input: it parses, it validates, and it is
what the OpenAPI schema shows.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import inspect
from rest_framework.request import Request

from riskplatform.api.strict_texts import values_of_texts
from riskplatform.kernel.errors import ApplicationError, InvalidInputError
from riskplatform.kernel.instants import SPAN, is_storable

Struct = TypeVar("Struct", bound=msgspec.Struct)
Path = tuple[str | int, ...]
# What the items of a list may be that are no times and hold none.
PLAIN = (str, int, float)

MESSAGE = re.compile(r"^(?P<reason>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>.*)`$", re.DOTALL)
STEP = re.compile(r"\.([^.\[\]]+)|\[([^\]]+)\]")
# What msgspec says of a time, and what helps its sender.
TIME_FAULTS = ("Invalid RFC3339 encoded datetime", "Expected `datetime`")
TIME_HINT = "write it with its offset from UTC, like 2026-11-23T14:05:00+01:00"


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
        It is JSON of another shape, or holds a time outside the span that the platform
        stores; `errors` has a JSON pointer and a reason.
    """
    try:
        body = msgspec.json.decode(request.body, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBodyError(f"The body is not JSON: {error}.") from error
    _check_times(body)
    return body


def decode_query(request: Request, kind: type[Struct]) -> Struct:
    """Parse and validate a query string; each name may be given once.

    Values are read as strictly as those of a JSON body.
    """
    for name, values in request.query_params.lists():
        if len(values) > 1:
            raise InvalidInputError(f"{name} is given {len(values)} times.", field=name)
        # PostgreSQL holds no such text, so nothing could be found by it.
        if "\0" in values[0]:
            raise InvalidInputError(f"{name} contains the character NUL.", field=name)
    try:
        query = msgspec.convert(
            values_of_texts(request.query_params.dict(), kind), type=kind
        )
    except msgspec.ValidationError as error:
        raise _invalid(error) from error
    _check_times(query)
    return query


def given_in(body: msgspec.Struct) -> dict[str, Any]:
    """Give the fields that a body names; what a change leaves out is UNSET."""
    fields = msgspec.structs.asdict(body)
    return {key: value for key, value in fields.items() if value is not msgspec.UNSET}


def explained(message: str) -> str:
    """Add to a message of msgspec what helps the sender, where it is about a time."""
    if not message.startswith(TIME_FAULTS):
        return message
    fault, at, path = message.partition(" - at ")
    return f"{fault}: {TIME_HINT}{at}{path}"


def refuse_repeats(values: Iterable[object], name: str, *, member: str = "") -> None:
    """Refuse a list that names something twice; `member` is where items hold it."""
    seen: set[object] = set()
    for index, value in enumerate(values):
        if value in seen:
            raise InvalidInputError(
                f"{value} is given twice.", field=(name, index, *filter(None, [member]))
            )
        seen.add(value)


def _invalid(error: msgspec.ValidationError) -> InvalidInputError:
    message = explained(str(error))
    match = MESSAGE.match(message)
    if match is None:
        return InvalidInputError(message, field=())
    # msgspec writes `$.cells[0].cell_id`.
    field = [name or index for name, index in STEP.findall(match["path"] or "$")]
    if (unknown := UNKNOWN.match(match["reason"])) is not None:
        field.append(unknown["name"])
    return InvalidInputError(f"{match['reason']}.", field=tuple(field))


def _check_times(value: msgspec.Struct) -> None:
    """Refuse times that the platform cannot hold, wherever they stand.

    A calendar ends: `0001-01-01T00:00:00+14:00` is no time in UTC, and adding a horizon
    to the year 9999 overflows. So this comes before anything reckons with them.
    """
    for field in _times_outside(value, ()):
        raise InvalidInputError(f"{field[-1]} lies in the years {SPAN}.", field=field)


def _times_outside(value: object, path: Path) -> Iterator[Path]:
    if isinstance(value, datetime):
        if not is_storable(value):
            yield path
    elif isinstance(value, msgspec.Struct):
        for name, written in _fields(type(value)):
            yield from _times_outside(getattr(value, name), (*path, written))
    elif isinstance(value, list | tuple):
        # Long lists of numbers and texts need not be looked at.
        items = () if value and isinstance(value[0], PLAIN) else value
        for index, item in enumerate(items):
            yield from _times_outside(item, (*path, index))


@cache
def _fields(kind: type[msgspec.Struct]) -> list[tuple[str, str]]:
    """Name the fields that may hold times, as attributes and as they are written."""
    described = cast("inspect.StructType", inspect.type_info(kind))
    return [
        (field.name, field.encode_name)
        for field in described.fields
        if _may_hold_times(field.type)
    ]


def _may_hold_times(kind: inspect.Type) -> bool:
    match kind:
        case inspect.StructType():
            parts = [field.type for field in kind.fields]
        case inspect.Metadata():
            parts = [kind.type]
        case inspect.UnionType():
            parts = list(kind.types)
        case inspect.TupleType():
            parts = list(kind.item_types)
        case inspect.CollectionType() | inspect.VarTupleType():
            parts = [kind.item_type]
        case _:
            known = inspect.DateTimeType | inspect.AnyType | inspect.CustomType
            return isinstance(kind, known)
    return any(map(_may_hold_times, parts))
