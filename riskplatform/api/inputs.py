"""Typed input: bodies and query strings are decoded into msgspec structs.

A struct is the single description of an input: it parses, it validates, and it is
what the OpenAPI schema shows.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import inspect
from rest_framework.request import Request

from riskplatform.api.fault_sentences import Path, describe_fault, unknown_name
from riskplatform.api.strict_texts import values_of_texts
from riskplatform.kernel.errors import (
    AddressTooLongError,
    ApplicationError,
    InvalidInputError,
)
from riskplatform.kernel.instants import SPAN, is_storable

Struct = TypeVar("Struct", bound=msgspec.Struct)
# What the items of a list may be that are no times and hold none.
PLAIN = (str, int, float)
# Every operation takes it: how the answer is to be written.
FORMAT = "format"
NO_FIELDS = b"{}"
MAX_QUERY_CHARS = 32_768
# A plus sign of an offset that was not written as %2B arrives as a blank.
LOST_PLUS = re.compile(r"\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)? \d{2}:?\d{2}$")


class MalformedBodyError(ApplicationError):
    code = "malformed_body"
    title = "The body is not JSON"
    status = 400


def decode_body(request: Request, kind: type[Struct]) -> Struct:
    """Parse and validate a JSON body; one that is absent may have no fields.

    Raises
    ------
    MalformedBodyError
        It is not JSON.
    InvalidInputError
        It is JSON of another shape, or holds a time outside the span that the platform
        stores; `errors` has a JSON pointer and a reason.
    """
    try:
        content = request.body or (NO_FIELDS if is_optional(kind) else b"")
        body = msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        reason, field = describe_fault(str(error), kind, whole="The body")
        raise InvalidInputError(reason, field=field) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBodyError(f"The body is not JSON: {error}.") from error
    _check_times(body)
    return body


def is_optional(kind: type[msgspec.Struct]) -> bool:
    """Say whether a body of which nothing is required may be absent."""
    return not any(field.required for field in msgspec.structs.fields(kind))


def decode_query(request: Request, kind: type[Struct]) -> Struct:
    """Parse and validate a query string; each name may be given once.

    Values are read as strictly as those of a JSON body.
    """
    known = kind.__struct_encode_fields__
    check_parameters(request, known)
    texts = request.query_params.dict()
    if FORMAT not in known:
        # The renderer has been chosen by it.
        texts.pop(FORMAT, None)
    try:
        query = msgspec.convert(values_of_texts(texts, kind), type=kind)
    except msgspec.ValidationError as error:
        reason, field = describe_fault(str(error), kind, whole="The query")
        reason += _plus_hint(texts.get(str(field[0]), "")) if field else ""
        raise InvalidInputError(reason, field=field) from error
    _check_times(query)
    return query


def read_moment(text: str, field: str) -> datetime:
    """Read a day of UTC, which is its first moment, or a time with its offset.

    Raises
    ------
    InvalidInputError
        It is neither, or outside the span that the platform stores.
    """
    kind: Any = datetime if "T" in text.upper() else date
    try:
        read = msgspec.convert(text, kind)
    except msgspec.ValidationError:
        read = None
    if read is None or getattr(read, "tzinfo", UTC) is None:
        raise InvalidInputError(
            f"{field} is neither a day such as 2026-11-23 nor a time with its offset"
            f" such as 2026-11-23T14:05:00+01:00.{_plus_hint(text)}",
            field=field,
        )
    moment = (
        read
        if isinstance(read, datetime)
        else datetime.combine(read, time.min, tzinfo=UTC)
    )
    if not is_storable(moment):
        raise InvalidInputError(f"{field} lies in the years {SPAN}.", field=field)
    return moment.astimezone(UTC)


def _plus_hint(text: str) -> str:
    if not LOST_PLUS.search(text):
        return ""
    return " In an address a plus sign is written %2B, as in %2B01:00."


def check_parameters(request: Request, known: Sequence[str] = ()) -> None:
    """Refuse parameters that there are not, or that are given twice."""
    if len(request.META.get("QUERY_STRING", "")) > MAX_QUERY_CHARS:
        raise AddressTooLongError(
            f"The query has more than {MAX_QUERY_CHARS:,} characters."
        )
    for name, values in request.query_params.lists():
        if name not in known and name != FORMAT:
            raise InvalidInputError(unknown_name("parameter", name, known), field=name)
        if len(values) > 1:
            raise InvalidInputError(f"{name} is given {len(values)} times.", field=name)
        # PostgreSQL holds no such text, so nothing could be found by it.
        if "\0" in values[0]:
            raise InvalidInputError(f"{name} contains the character NUL.", field=name)


def given_in(body: msgspec.Struct) -> dict[str, Any]:
    """Give the fields that a body names; what a change leaves out is UNSET."""
    fields = msgspec.structs.asdict(body)
    return {key: value for key, value in fields.items() if value is not msgspec.UNSET}


def refuse_repeats(values: Iterable[object], name: str, *, member: str = "") -> None:
    """Refuse a list that names something twice; `member` is where items hold it."""
    seen: set[object] = set()
    for index, value in enumerate(values):
        if value in seen:
            raise InvalidInputError(
                f"{value} is given twice.", field=(name, index, *filter(None, [member]))
            )
        seen.add(value)


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
