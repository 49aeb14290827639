"""Chunks of raw rows in; good events and reasons for refusing the rest out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from analytics.grid import Bounds
from analytics.ingest.column_map import ATTRIBUTE, ColumnMap
from analytics.ingest.events import DEFAULT_EVENT_TYPE, EventColumns, Indices
from analytics.ingest.rules import (
    MAX_ATTRIBUTE_CHARS,
    MAX_TEXT_CHARS,
    MISSING,
    Fault,
    Faults,
    FloatArray,
    latitude_faults,
    longitude_faults,
    parse_numbers,
    region_faults,
    too_long,
)
from analytics.ingest.times import parse_times

Row = Sequence[str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRules:
    """What rows are held against; `latest` is the end of what has happened."""

    column_map: ColumnMap
    latest: datetime
    zone: ZoneInfo | None = None
    bounds: Bounds | None = None


class ValidatedRows(NamedTuple):
    """What became of some rows.

    Parameters
    ----------
    events
        The good ones.
    indices
        Index among the rows of each good event.
    faults
        Index among the rows to the field and its fault.
    """

    events: EventColumns
    indices: Indices
    faults: Mapping[int, tuple[str, Fault]]
    ambiguous_count: int


def validate_rows(
    rows: Sequence[Row],
    *,
    columns: Mapping[str, int],
    rules: RowRules,
    names: Sequence[str] = (),
) -> ValidatedRows:
    """Validate rows as long as the header; the first fault of a row counts.

    `columns` say where each field stands in a row; `names` are the ids of rows whose
    source names none.
    """
    reading = _Reading(rows, columns)
    times = parse_times(
        reading.texts("occurred_at"), latest=rules.latest, zone=rules.zone
    )
    reading.note("occurred_at", times.faults)
    lat, lon = reading.coordinates(rules.bounds)
    severity, amount = reading.measure("severity"), reading.measure("amount")
    default_type = rules.column_map.constants.get("event_type", DEFAULT_EVENT_TYPE)
    event_type, ids = reading.types(default_type), reading.ids()
    attributes = reading.attributes(rules.column_map.attribute_constants)
    is_good = np.ones(len(rows), dtype=np.bool_)
    is_good[list(reading.faults)] = False
    indices = np.flatnonzero(is_good)
    events = EventColumns(
        occurred_ms=times.occurred_ms[indices],
        lat=lat[indices],
        lon=lon[indices],
        external_id=_chosen(ids or names or None, indices),
        event_type=_chosen(event_type, indices) or default_type,
        severity=None if severity is None else severity[indices],
        amount=None if amount is None else amount[indices],
        attributes=_chosen(attributes, indices) or None,
    )
    return ValidatedRows(events, indices, reading.faults, times.ambiguous_count)


class _Reading:
    """Reads the mapped fields of rows and notes what is wrong with them."""

    def __init__(self, rows: Sequence[Row], columns: Mapping[str, int]) -> None:
        self.faults: dict[int, tuple[str, Fault]] = {}
        self._rows = rows
        self._columns = columns

    def texts(self, field: str, *, max_chars: int | None = None) -> list[str]:
        column = self._columns[field]
        texts = [row[column].strip() for row in self._rows]
        if max_chars is not None:
            self.note(field, too_long(texts, max_chars))
        return texts

    def note(self, field: str, faults: Faults) -> None:
        for index, fault in faults.items():
            self.faults.setdefault(index, (field, fault))

    def coordinates(self, bounds: Bounds | None) -> tuple[FloatArray, FloatArray]:
        lat, lat_faults = parse_numbers(self.texts("lat"), is_required=True)
        lon, lon_faults = parse_numbers(self.texts("lon"), is_required=True)
        self.note("lat", lat_faults | latitude_faults(lat, lon))
        self.note("lon", lon_faults | longitude_faults(lon))
        if bounds is not None:
            self.note("lat", region_faults(lat, lon, bounds))
        return lat, lon

    def measure(self, field: str) -> FloatArray | None:
        if field not in self._columns:
            return None
        values, faults = parse_numbers(self.texts(field), is_required=False)
        self.note(field, faults)
        return values

    def types(self, default: str) -> list[str] | None:
        """Read types; a row that gives none has the default one."""
        if "event_type" not in self._columns:
            return None
        texts = self.texts("event_type", max_chars=MAX_TEXT_CHARS)
        return [text or default for text in texts] if "" in texts else texts

    def ids(self) -> list[str] | None:
        if "external_id" not in self._columns:
            return None
        texts = self.texts("external_id", max_chars=MAX_TEXT_CHARS)
        missing = {index: MISSING for index, text in enumerate(texts) if not text}
        self.note("external_id", missing)
        return texts

    def attributes(self, constants: Mapping[str, str]) -> list[dict[str, str]] | None:
        fields = [field for field in self._columns if field.startswith(ATTRIBUTE)]
        if not fields and not constants:
            return None
        attributes = [dict(constants) for _ in self._rows]
        for field in fields:
            name = field.removeprefix(ATTRIBUTE)
            texts = self.texts(field, max_chars=MAX_ATTRIBUTE_CHARS)
            for known, text in zip(attributes, texts, strict=True):
                if text:
                    known[name] = text
        return attributes


def _chosen(values: Sequence[T] | None, indices: Indices) -> list[T]:
    return [] if values is None else [values[index] for index in indices.tolist()]
