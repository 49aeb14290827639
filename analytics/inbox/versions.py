"""Distinguishes new events, corrections, retractions and repetitions.

An event that equals any version of it that was accepted before is a repetition, not
only one that equals the last: what is sent again after a correction must not undo it.
For the same reason a retraction is final.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from analytics.inbox.event_input import in_field
from analytics.ingest.rules import RETRACTED, UNKNOWN_EVENT, Fault

# What an event says besides its identity:
# `occurred_ms, lat, lon, event_type, severity, amount, attributes`
EventValues = tuple[int, float, float, str, float | None, float | None, str]

NO_VALUES: EventValues = (0, 0.0, 0.0, "", None, None, "")
DIGEST_BYTES = 16


def digest_of(values: EventValues) -> bytes:
    """Digest values so that equal ones, and no others, have equal digests."""
    occurred_ms, lat, lon, event_type, severity, amount, attributes = values
    # Adding zero makes the negative zero, which equals the other, look like it.
    numbers = struct.pack("<q2d", occurred_ms, lat + 0.0, lon + 0.0)
    parts = (
        *(numbers, _packed(severity), _packed(amount)),
        *(event_type.encode(), attributes.encode()),
    )
    framed = b"".join(len(part).to_bytes(4, "little") + part for part in parts)
    return blake2b(framed, digest_size=DIGEST_BYTES).digest()


def _packed(measure: float | None) -> bytes:
    return b"" if measure is None else struct.pack("<d", measure + 0.0)


class ValidEvent(NamedTuple):
    """An acceptable row; `values` are what makes it another version when they differ.

    One that `is_placed` does not name its region: that is where it lies.
    """

    row_index: int
    source: str
    external_id: str
    is_retracted: bool
    region: str
    is_placed: bool
    cell: int
    values: EventValues

    @property
    def position(self) -> tuple[str, int, int]:
        return self.region, self.cell, self.values[0]


class RefusedRow(NamedTuple):
    row_index: int
    source: str
    fault: Fault


class Version(NamedTuple):
    """What one version of an event says, and where in ClickHouse it stands.

    Of a version that was pruned from the inbox, the values are their digest.
    """

    number: int
    received_ms: int
    is_retracted: bool
    region: str
    cell: int
    occurred_ms: int
    values: EventValues | bytes

    @property
    def position(self) -> tuple[str, int, int]:
        """The sorting key of the table, which differs between rows of one event."""
        return self.region, self.cell, self.occurred_ms

    def says(self, values: EventValues) -> bool:
        if isinstance(self.values, bytes):
            return self.values == digest_of(values)
        return self.values == values

    @property
    def known_values(self) -> EventValues:
        """Give the values as far as they are known; the time always is."""
        if isinstance(self.values, bytes):
            return (self.occurred_ms, *NO_VALUES[1:])
        return self.values


class NewVersion(NamedTuple):
    event: ValidEvent
    version: Version
    previous: Version | None


@dataclass(slots=True, kw_only=True)
class BlockOutcome:
    """What became of the rows of a block; those in no list are repetitions."""

    accepted: list[NewVersion] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    duplicate_count: int = 0


def compare_versions(
    events: Iterable[ValidEvent],
    known: Mapping[str, Sequence[Version]],
    *,
    received_ms: int,
) -> BlockOutcome:
    """Compare events of one source with their versions and with one another."""
    outcome = BlockOutcome()
    histories: dict[str, list[Version]] = {
        external_id: list(versions) for external_id, versions in known.items()
    }
    for event in events:
        history = histories.setdefault(event.external_id, [])
        if _is_repeated(event, history):
            outcome.duplicate_count += 1
        elif (refusal := _refusal(event, history)) is not None:
            fault = in_field("external_id", refusal)
            refused = RefusedRow(event.row_index, event.source, fault)
            outcome.refused.append(refused)
        else:
            new = _next_version(event, history, received_ms)
            history.append(new.version)
            outcome.accepted.append(new)
    return outcome


def _is_repeated(event: ValidEvent, history: Sequence[Version]) -> bool:
    if not history:
        return False
    if event.is_retracted:
        return history[-1].is_retracted
    return any(
        version.says(event.values)
        and not version.is_retracted
        and (event.is_placed or version.region == event.region)
        for version in history
    )


def _refusal(event: ValidEvent, history: Sequence[Version]) -> Fault | None:
    if event.is_retracted:
        return None if history else UNKNOWN_EVENT
    return RETRACTED if history and history[-1].is_retracted else None


def _next_version(
    event: ValidEvent, history: Sequence[Version], received_ms: int
) -> NewVersion:
    last = history[-1] if history else None
    number = first_ms = received_ms
    if last is not None:
        number = max(received_ms, last.number + 1)
        # A corrected event stays known since it first arrived, so that what a forecast
        # could know at a time does not lose it.
        first_ms = last.received_ms
    said = last if last is not None and event.is_retracted else event
    values = said.known_values if isinstance(said, Version) else said.values
    version = Version(number, first_ms, event.is_retracted, *said.position, values)
    return NewVersion(event, version, last)
