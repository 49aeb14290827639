"""The members of a JSON array, in parts: objects take many times their bytes."""

import re
from collections.abc import Iterator

import msgspec

from analytics.errors import MalformedEventsError, NestedTooDeepError

PART_BYTES = 1 << 20
# Where one event ends and the next begins, unless it stands in a text.
BETWEEN_EVENTS = b"},{"
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
OPENING, CLOSING = frozenset(b"[{"), frozenset(b"]}")

_syntax = msgspec.json.Decoder(msgspec.Raw)
_members = msgspec.json.Decoder(list[msgspec.Raw])


def parts_of_array(body: bytes) -> Iterator[bytes]:
    """Give arrays of some members each, in order; all of the body is JSON by then.

    Raises
    ------
    MalformedEventsError
        It is not JSON, or not an array.
    NestedTooDeepError
    """
    content = _checked(body)
    start, end = 1, len(content) - 1
    while start < end:
        cut = _quick_cut(content, start, end) or _exact_cut(content, start, end)
        yield b"[" + content[start:cut] + b"]"
        start = cut + 1


def _checked(body: bytes) -> bytes:
    """Look at the syntax of all of it before anything is accepted."""
    try:
        # Texts are not validated yet.
        body.isascii() or body.decode()
        content = bytes(_syntax.decode(body)).strip()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedEventsError(f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise NestedTooDeepError(
            "The body is nested too deep. An event is a flat object."
        ) from None
    if not content.startswith(b"["):
        raise MalformedEventsError("The body is not an array of events.")
    return content


def _quick_cut(content: bytes, start: int, end: int) -> int | None:
    """Find a comma behind about a part; None where none is easily found."""
    if end - start <= PART_BYTES:
        return end
    found = content.rfind(BETWEEN_EVENTS, start, start + PART_BYTES)
    if found < 0:
        return None
    try:
        # In the middle of a text or of another array it would not be JSON.
        _members.decode(b"[" + content[start : found + 1] + b"]")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found + 1


def _exact_cut(content: bytes, start: int, end: int) -> int:
    """Find the first comma between members behind a part, token by token."""
    depth = 0
    for token in TOKEN.finditer(content, start, end):
        kind = content[token.start()]
        if kind in OPENING:
            depth += 1
        elif kind in CLOSING:
            depth -= 1
        elif kind == ord(",") and not depth and token.start() - start >= PART_BYTES:
            return token.start()
    return end
