"""Reading ClickHouse type names: `Map(String, Array(UInt8))` into a name and parts."""

import re
from dataclasses import dataclass

_PIECE = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|[(),\s]|[^'`(),\s]+")
_ELEMENT_NAME = re.compile(r"(?:`(?:[^`\\]|\\.)*`|[A-Za-z_]\w*)\s+(?=\S)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeName:
    name: str
    arguments: tuple[str, ...] = ()


def parse_type_name(text: str) -> TypeName:
    """Split off the outermost name; the arguments stay text."""
    head, bracket, rest = text.strip().partition("(")
    if not bracket:
        return TypeName(name=head)
    inner = rest.rstrip().removesuffix(")")
    return TypeName(name=head.strip(), arguments=tuple(_split_arguments(inner)))


def element_type(text: str) -> str:
    """Drop the name of a tuple element: `lat Float64` is a `Float64`."""
    named = _ELEMENT_NAME.match(text)
    return text if named is None else text[named.end() :]


def _split_arguments(text: str) -> list[str]:
    arguments, depth, start = [], 0, 0
    for piece in _PIECE.finditer(text):
        depth += {"(": 1, ")": -1}.get(piece[0], 0)
        if piece[0] == "," and depth == 0:
            arguments.append(text[start : piece.start()].strip())
            start = piece.end()
    tail = text[start:].strip()
    return [*arguments, tail] if tail else arguments
