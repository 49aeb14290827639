"""Finds the times of an input that the platform cannot hold, wherever they stand.

A calendar ends: `0001-01-01T00:00:00+14:00` is no time in UTC, and adding a horizon to
the year 9999 overflows. So such times are refused before anything reckons with them.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cache

import msgspec
from msgspec import inspect

from riskplatform.kernel.instants import is_storable

Path = tuple[str | int, ...]


def times_outside(value: msgspec.Struct) -> Iterator[Path]:
    """Say where each time outside the span stands, in the order of fields."""
    for name, written in _fields_with_times(type(value)):
        yield from _outside(getattr(value, name), (written,))


def _outside(value: object, path: Path) -> Iterator[Path]:
    if isinstance(value, datetime):
        if not is_storable(value):
            yield path
    elif isinstance(value, msgspec.Struct):
        for inner in times_outside(value):
            yield path + inner
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _outside(item, (*path, index))


@cache
def _fields_with_times(kind: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """Name the fields that hold a time, as attributes and as they are written.

    Long lists without times need not be looked at.
    """
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)  # noqa: S101 - for the type checker
    return tuple(
        (field.name, field.encode_name)
        for field in described.fields
        if _holds_time(field.type, seen=())
    )


def _holds_time(described: inspect.Type, *, seen: tuple[type, ...]) -> bool:
    if isinstance(described, inspect.DateTimeType):
        return True
    if isinstance(described, inspect.StructType):
        if described.cls in seen:
            return False
        inner = tuple(field.type for field in described.fields)
        seen = (*seen, described.cls)
    else:
        inner = _types_inside(described)
    return any(_holds_time(part, seen=seen) for part in inner)


def _types_inside(described: inspect.Type) -> tuple[inspect.Type, ...]:
    if isinstance(described, inspect.Metadata):
        return (described.type,)
    if isinstance(described, inspect.UnionType):
        return described.types
    if isinstance(described, inspect.ListType | inspect.VarTupleType):
        return (described.item_type,)
    return ()
