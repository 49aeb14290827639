"""What msgspec says of an input, as sentences that say what to write instead."""

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Final

import msgspec
from msgspec import inspect

from riskplatform.api.strict_texts import parts_of

Path = tuple[str | int, ...]

MESSAGE: Final = re.compile(r"^(?P<reason>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
STEP: Final = re.compile(r"\.([^.\[\]]+)|\[([^\]]+)\]")
TIME: Final = "write it with its offset from UTC, like 2026-11-23T14:05:00+01:00"
WORDS: Final = {
    "array": "a list",
    "bool": "true or false",
    "date": "a day such as 2026-11-23",
    "datetime": "a time such as 2026-11-23T14:05:00+01:00",
    "decimal": "an amount such as 1250.50",
    "float": "a number such as 0.5",
    "int": "a whole number such as 3",
    "null": "null",
    "object": "an object",
    "str": "a text",
    "uuid": "an id such as 01932c5e-7f1a-7c3e-9b1d-3f0a6c2e8d41",
}
BOUNDS: Final = {">=": "at least", "<=": "at most", ">": "above", "<": "below"}
NEAR: Final = 0.6


def describe_fault(
    message: str, kind: type[msgspec.Struct], *, whole: str
) -> tuple[str, Path]:
    """Give the sentence and the path of what is wrong; `whole` names the input."""
    match = MESSAGE.match(message)
    if match is None:
        return message, ()
    path: Path = tuple(
        name or index for name, index in STEP.findall(match["path"] or "")
    )
    name = _name_of(path) or whole
    known = list(_types_at(inspect.type_info(kind), path))
    reason = match["reason"]
    for pattern, say in SENTENCES:
        if found := pattern.fullmatch(reason):
            return say(name, found, known), (*path, *_added(reason, found))
    return f"{name}: {reason}.", path


def unknown_name(what: str, name: str, known: Sequence[str]) -> str:
    """Say that there is no such field or parameter, which is near, and which are."""
    near = get_close_matches(name, known, n=1, cutoff=NEAR)
    hint = f" Did you mean {near[0]}?" if near else ""
    there = f" There are {', '.join(known)}." if known else " There is none."
    return f"There is no {what} {name[:60]!r}.{hint}{there}"


def _added(reason: str, found: re.Match[str]) -> Path:
    """Point at a field that should not be there, not at what it is in."""
    return (found[1],) if reason.startswith("Object contains") else ()


def _name_of(path: Path) -> str:
    steps = (f"[{step}]" if str(step).isdecimal() else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def _types_at(kind: inspect.Type, path: Iterable[str | int]) -> Iterator[inspect.Type]:
    """Give the types that a value at a path may have, with what describes them."""
    kinds = [kind]
    for step in path:
        kinds = [below for one in kinds for below in _types_below(one, str(step))]
    yield from kinds


def _types_below(kind: inspect.Type, step: str) -> Iterator[inspect.Type]:
    for part in parts_of(kind):
        if isinstance(part, inspect.StructType):
            yield from (f.type for f in part.fields if f.encode_name == step)
        elif isinstance(part, inspect.CollectionType | inspect.VarTupleType):
            yield part.item_type
        elif isinstance(part, inspect.DictType):
            yield part.value_type


Types = list[inspect.Type]


def _unknown_field(name: str, found: re.Match[str], known: Types) -> str:
    parts = (part for kind in known for part in parts_of(kind))
    fields = (p.fields for p in parts if isinstance(p, inspect.StructType))
    names = [field.encode_name for some in fields for field in some]
    return unknown_name("field", found[1], names)


def _missing_field(name: str, found: re.Match[str], known: Types) -> str:
    return f"{name} lacks the field {found[1]!r}."


def _wrong_type(name: str, found: re.Match[str], known: Types) -> str:
    wanted = [part for part in found[1].split(" | ") if part != "null"]
    words = " or ".join(WORDS.get(part, part) for part in wanted)
    given = WORDS.get(found[2], found[2]).partition(" such as")[0]
    return f"{name} has to be {words}, not {given}."


def _wrong_length(name: str, found: re.Match[str], known: Types) -> str:
    unit = "characters" if found[1] == "str" else "entries"
    return f"{name} has {BOUNDS[found[2]]} {found[3]} {unit}."


def _out_of_bounds(name: str, found: re.Match[str], known: Types) -> str:
    return f"{name} is {BOUNDS[found[1]]} {found[2].removesuffix('.0')}."


def _wrong_form(name: str, found: re.Match[str], known: Types) -> str:
    described = [
        str(kind.extra_json_schema.get("description", ""))
        for one in known
        for kind in _described(one)
        if kind.extra_json_schema
    ]
    meaning = f" {described[0]}" if described and described[0] else ""
    return f"{name} does not have the form {found[1]}.{meaning}"


def _described(kind: inspect.Type) -> Iterator[inspect.Metadata]:
    if isinstance(kind, inspect.Metadata):
        yield kind
        yield from _described(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for part in kind.types:
            yield from _described(part)


def _wrong_choice(name: str, found: re.Match[str], known: Types) -> str:
    parts = [part for kind in known for part in parts_of(kind)]
    choices = [
        str(value)
        for part in parts
        if isinstance(part, inspect.LiteralType | inspect.EnumType)
        for value in (
            part.values
            if isinstance(part, inspect.LiteralType)
            else [member.value for member in part.cls]
        )
    ]
    return f"{name} is one of {', '.join(choices)}, not {found[1]}."


def _wrong_time(name: str, found: re.Match[str], known: Types) -> str:
    return f"{name} is not a time: {TIME}."


def _wrong_text(name: str, found: re.Match[str], known: Types) -> str:
    kind = {"UUID": "uuid", "decimal string": "decimal"}.get(found[1], "date")
    return f"{name} has to be {WORDS[kind]}."


SENTENCES: Final = [
    (re.compile(pattern, re.DOTALL), say)
    for pattern, say in (
        (r"Object contains unknown field `(.*)`", _unknown_field),
        (r"Object missing required field `(.*)`", _missing_field),
        (r"Invalid RFC3339 encoded datetime()", _wrong_time),
        (r"Expected `datetime` with(.*)", _wrong_time),
        (r"Expected `(datetime(?: \| null)?)`, got `str`", _wrong_time),
        (r"Expected `([^`]*)`, got `([^`]*)`", _wrong_type),
        (r"Expected `(\w+)` of length (<=|>=) (\d+)", _wrong_length),
        (r"Expected `\w+` (<=|>=|<|>) (\S+)", _out_of_bounds),
        (r"Expected `str` matching regex '(.*)'", _wrong_form),
        (r"Invalid enum value (.*)", _wrong_choice),
        (r"Invalid (UUID|decimal string|RFC3339 encoded date)", _wrong_text),
    )
]
