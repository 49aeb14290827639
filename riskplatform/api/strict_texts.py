"""Values out of texts, as strictly as out of JSON: query strings and rows of CSV.

A text becomes a number or a boolean only where the field wants one and only if JSON
would write it so. Everything else stays a text, which msgspec reads as it reads a JSON
string: a time is RFC 3339, and `2024` or `20240101` is no time.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache

import msgspec
from msgspec import inspect

# The grammar of RFC 8259, section 6.
JSON_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
NUMBERS = frozenset({inspect.IntType, inspect.FloatType})
BOOLEANS = {"true": True, "false": False}


def values_of_texts(
    texts: Mapping[str, object], kind: type[msgspec.Struct]
) -> dict[str, object]:
    """Turn the texts that belong to number and boolean fields into such values.

    The result is for a strict `msgspec.convert`, which reports what is still a text
    where something else is wanted. Values that are no texts are left alone.
    """
    wanted = _wanted_types(kind)
    return {
        name: _value(text, wanted[name]) if name in wanted else text
        for name, text in texts.items()
    }


def _value(text: object, wanted: frozenset[type]) -> object:
    if not isinstance(text, str):
        return text
    if inspect.BoolType in wanted:
        return BOOLEANS.get(text, text)
    number = None if wanted.isdisjoint(NUMBERS) else number_of_text(text)
    return text if number is None else number


def number_of_text(text: str) -> int | float | None:
    """Read a number as JSON writes it; None is anything else, 1e999 included."""
    if not JSON_NUMBER.fullmatch(text):
        return None
    with suppress(msgspec.DecodeError):
        number: int | float = msgspec.json.decode(text)
        return number
    return None


@cache
def _wanted_types(kind: type[msgspec.Struct]) -> dict[str, frozenset[type]]:
    """Name the fields that take a number or a boolean and no text."""
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)  # noqa: S101 - for the type checker
    wanted = {
        field.encode_name: frozenset(type(part) for part in parts_of(field.type))
        for field in described.fields
    }
    return {
        name: types for name, types in wanted.items() if inspect.StrType not in types
    }


def parts_of(described: inspect.Type) -> Iterator[inspect.Type]:
    """Give a described type, or those that a union of types consists of."""
    if isinstance(described, inspect.Metadata):
        yield from parts_of(described.type)
    elif isinstance(described, inspect.UnionType):
        for part in described.types:
            yield from parts_of(part)
    else:
        yield described
