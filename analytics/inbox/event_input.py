"""An event as clients send it; the struct parses, validates and documents it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from msgspec import Meta, Struct, ValidationError, convert

from analytics.ingest.events import DEFAULT_EVENT_TYPE
from analytics.ingest.rules import (
    MAX_ATTRIBUTE_CHARS,
    MAX_TEXT_CHARS,
    MISSING,
    Fault,
    RowCode,
    bad_number,
    bad_time,
)
from riskplatform.api.fault_sentences import describe_fault, unknown_name
from riskplatform.api.strict_texts import values_of_texts
from riskplatform.kernel.instants import AwareTime

NUMBERS = frozenset({"lat", "lon", "severity", "amount"})
# What msgspec says.
MISSING_FIELD = re.compile(r"Object missing required field `(\w+)`")
UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*?)`", re.DOTALL)
PATH = re.compile(r" - at `\$\.(\w+)")
Name = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARS)]
SourceName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,48}$",
        description="Where the event comes from; ids are unique within it.",
    ),
]
Slug = Annotated[
    str, Meta(pattern=r"^[-a-zA-Z0-9_]{1,50}$", description="Slug of a region.")
]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Text = Annotated[str, Meta(max_length=MAX_ATTRIBUTE_CHARS)]
Attributes = Annotated[dict[Name, Text], Meta(max_length=100)]


class EventInput(Struct, forbid_unknown_fields=True, gc=False):
    """One event; one that comes again with other values is a correction."""

    external_id: Annotated[Name, Meta(description="What the source calls the event.")]
    occurred_at: AwareTime | None = None
    lat: Latitude | None = None
    lon: Longitude | None = None
    event_type: Name = DEFAULT_EVENT_TYPE
    severity: float | None = None
    amount: float | None = None
    attributes: Attributes = {}
    region: Slug | None = None
    source: SourceName | None = None
    retracted: Annotated[
        bool, Meta(description="It never happened; only the id is needed then.")
    ] = False


class UnreadRow(NamedTuple):
    """A row that is no event: what is wrong, and its fields where it has any."""

    fault: Fault
    known: Mapping[str, Any] | None = None


ReadRow = EventInput | UnreadRow


def read_event(known: Mapping[str, Any]) -> ReadRow:
    """Read a row as CSV gives it: numbers may be texts, what is empty is left out."""
    given: dict[str, Any] = {}
    for name, value in known.items():
        stripped = value.strip() if isinstance(value, str) else value
        if stripped is not None and stripped != "":
            given[name] = stripped
    try:
        return convert(values_of_texts(given, EventInput), EventInput)
    except ValidationError as error:
        return UnreadRow(_fault(str(error), given), given)


def in_field(name: str, fault: Fault) -> Fault:
    """Say in the sentence which field it is about."""
    return Fault(fault.code, f"{name}: {fault.reason}")


def _fault(message: str, given: Mapping[str, Any]) -> Fault:
    """Say what msgspec says in the words of the rules."""
    if (lacking := MISSING_FIELD.match(message)) is not None:
        return in_field(lacking[1], MISSING)
    if (unknown := UNKNOWN_FIELD.match(message)) is not None:
        known = EventInput.__struct_encode_fields__
        reason = unknown_name("field", unknown[1], known)
        return Fault(RowCode.UNKNOWN_FIELD, reason)
    path = PATH.search(message)
    name = path[1] if path else ""
    value = str(given.get(name, ""))
    if name == "occurred_at":
        fault = bad_time(value)
    elif name in NUMBERS:
        fault = bad_number(value)
    else:
        is_long = " of length <=" in message
        code = RowCode.FIELD_TOO_LONG if is_long else RowCode.BAD_VALUE
        return Fault(code, describe_fault(message, EventInput, whole="The row")[0])
    return in_field(name, fault)
