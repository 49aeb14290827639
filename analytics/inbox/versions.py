"""Distinguishes new events, corrections, retractions and repetitions.

An event that equals any version of it that was accepted before is a repetition, not
only one that equals the last: what is sent again after a correction must not undo it.
For the same reason a retraction is final.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from analytics.inbox.event_input import in_field
from analytics.inbox.event_values import NO_VALUES, EventValues, digest_of
from analytics.inbox.validation import RefusedRow, ValidEvent
from analytics.ingest.rules import RETRACTED, UNKNOWN_EVENT, Fault


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
    def place(self) -> tuple[str, int, int]:
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
class Comparison:
    """What became of valid rows; those in no list are repetitions."""

    accepted: list[NewVersion] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    duplicate_count: int = 0


def compare_versions(
    events: Iterable[ValidEvent],
    known: Mapping[str, Sequence[Version]],
    *,
    received_ms: int,
) -> Comparison:
    """Compare events of one source with their versions and with one another."""
    outcome = Comparison()
    histories: dict[str, list[Version]] = {
        external_id: list(versions) for external_id, versions in known.items()
    }
    for event in events:
        history = histories.setdefault(event.external_id, [])
        refusal = _refusal(event, history)
        if _is_repeated(event, history):
            outcome.duplicate_count += 1
        elif refusal is not None:
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
    if not history:
        key, values = _key_of(event), event.values
        version = Version(received_ms, received_ms, event.is_retracted, *key, values)
        return NewVersion(event, version, None)
    last = history[-1]
    number = max(received_ms, last.number + 1)
    # A corrected event stays known since it first arrived, so that what a forecast
    # could know at a time does not lose it.
    key = last.place if event.is_retracted else _key_of(event)
    values = last.known_values if event.is_retracted else event.values
    version = Version(number, last.received_ms, event.is_retracted, *key, values)
    return NewVersion(event, version, last)


def _key_of(event: ValidEvent) -> tuple[str, int, int]:
    return event.region, event.cell, event.values[0]
