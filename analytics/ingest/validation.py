"""Chunks of raw rows in; good events and reasons for refusing the rest out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from analytics.grid import Bounds
from analytics.ingest.column_map import ATTRIBUTE, ATTRIBUTES, ColumnMap
from analytics.ingest.events import DEFAULT_EVENT_TYPE, EventColumns, Indices
from analytics.ingest.field_texts import Columns, FieldTexts, whole_ids
from analytics.ingest.numbers import Numerals
from analytics.ingest.reading_options import AS_A_POST, ReadingOptions
from analytics.ingest.rules import (
    MAX_ATTRIBUTE_CHARS,
    MAX_TEXT_CHARS,
    MISSING,
    Fault,
    Faults,
    FloatArray,
    latitude_faults,
    longitude_faults,
    null_island_faults,
    parse_numbers,
    read_attributes,
    region_faults,
    too_long,
    wrapped,
)
from analytics.ingest.times import ParsedTimes, parse_times
from analytics.store.clickhouse import to_milliseconds

Row = Sequence[str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRules:
    """What rows are held against; `latest` is the end of what has happened."""

    column_map: ColumnMap
    latest: datetime
    zone: ZoneInfo | None = None
    bounds: Bounds | None = None
    options: ReadingOptions = AS_A_POST


class EmptiedField(NamedTuple):
    """A field of a row that was taken without it, because it could not be read."""

    row_index: int
    field: str
    fault: Fault


@dataclass(slots=True)
class Tally:
    """What was done to rows besides taking or refusing them."""

    ambiguous_times: int = 0
    naive_times: int = 0
    wrapped_longitudes: int = 0
    blank_ids: int = 0
    left_out: int = 0


class ValidatedRows(NamedTuple):
    """What became of some rows.

    Parameters
    ----------
    events
        The good ones that were wanted.
    indices
        Index among the rows of each of these.
    faults
        Index among the rows to the field and its fault.
    emptied
        Fields that are empty in `events` because they could not be read.
    local_ms
        Time of each event as the clocks showed it that wrote the file.
    """

    events: EventColumns
    indices: Indices
    faults: Mapping[int, tuple[str, Fault]]
    emptied: Sequence[EmptiedField]
    tally: Tally
    local_ms: Indices


def validate_rows(
    rows: Sequence[Row],
    *,
    columns: Columns,
    rules: RowRules,
    names: Sequence[str] = (),
) -> ValidatedRows:
    """Validate rows as long as the header; the first fault of a row counts.

    `columns` say where each field stands in a row; `names` are the ids of rows whose
    source names none.
    """
    reading = _Reading(rows, columns, rules)
    times = reading.times()
    lat, lon = reading.coordinates()
    severity, amount = reading.measure("severity"), reading.measure("amount")
    default_type = rules.column_map.constants.get("event_type", DEFAULT_EVENT_TYPE)
    event_type, ids = reading.types(default_type), reading.ids(names)
    attributes = reading.attributes()
    is_good = np.ones(len(rows), dtype=np.bool_)
    is_good[list(reading.faults)] = False
    indices = reading.wanted(np.flatnonzero(is_good), times.occurred_ms, lat, lon)
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
    emptied = [it for it in reading.emptied if it.row_index not in reading.faults]
    return ValidatedRows(
        *(events, indices, reading.faults, emptied, reading.tally),
        local_ms=times.local_ms[indices],
    )


@dataclass(slots=True)
class _Reading:
    """Reads the mapped fields of rows and notes what is wrong with them."""

    rows: Sequence[Row]
    columns: Columns
    rules: RowRules
    faults: dict[int, tuple[str, Fault]] = field(default_factory=dict)
    emptied: list[EmptiedField] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)

    def texts(self, name: str) -> list[str]:
        return FieldTexts(self.columns, self.rules.options).of(self.rows, name)

    def note(self, name: str, faults: Faults) -> None:
        for index, fault in faults.items():
            self.faults.setdefault(index, (name, fault))

    def note_optional(self, name: str, faults: Faults) -> Faults:
        """Refuse rows for an optional field, or give those that lose it only."""
        if not self.rules.options.is_lenient:
            self.note(name, faults)
            return {}
        self.emptied += [EmptiedField(index, name, it) for index, it in faults.items()]
        return faults

    def times(self) -> ParsedTimes:
        options = self.rules.options
        times = parse_times(
            self.texts("occurred_at"),
            latest=self.rules.latest,
            zone=self.rules.zone,
            time_format=options.time_format,
            is_lenient=options.is_lenient,
        )
        self.note("occurred_at", times.faults)
        self.tally.ambiguous_times = times.ambiguous_count
        self.tally.naive_times = times.naive_count
        return times

    def coordinates(self) -> tuple[FloatArray, FloatArray]:
        options, bounds = self.rules.options, self.rules.bounds
        lat, lat_faults = self._degrees("lat")
        lon, lon_faults = self._degrees("lon")
        if options.is_lenient:
            lon, self.tally.wrapped_longitudes = wrapped(lon)
        self.note("lat", lat_faults | latitude_faults(lat, lon))
        self.note("lon", lon_faults | longitude_faults(lon))
        if not options.allow_null_island:
            self.note("lat", null_island_faults(lat, lon))
        if bounds is not None:
            self.note("lat", region_faults(lat, lon, bounds))
        return lat, lon

    def _degrees(self, name: str) -> tuple[FloatArray, Faults]:
        return parse_numbers(
            self.texts(name), is_required=True, numerals=self._numerals(name)
        )

    def _numerals(self, name: str) -> Numerals:
        options = self.rules.options
        is_amount = name == "amount" and options.is_lenient
        return options.numerals(is_amount=is_amount)

    def measure(self, name: str) -> FloatArray | None:
        if name not in self.columns:
            return None
        values, faults = parse_numbers(
            self.texts(name), is_required=False, numerals=self._numerals(name)
        )
        self.note_optional(name, faults)
        return values

    def types(self, default: str) -> list[str] | None:
        """Read types; a row that gives none has the default one."""
        if "event_type" not in self.columns:
            return None
        texts = self._bounded("event_type", MAX_TEXT_CHARS)
        return [text or default for text in texts] if "" in texts else texts

    def _bounded(self, name: str, limit: int) -> list[str]:
        texts = self.texts(name)
        for index in self.note_optional(name, too_long(texts, limit)):
            texts[index] = ""
        return texts

    def ids(self, names: Sequence[str]) -> list[str] | None:
        """Read ids; where blank ones may be, their rows are named by content."""
        if "external_id" not in self.columns:
            return None
        texts = self.texts("external_id")
        self.note("external_id", too_long(texts, MAX_TEXT_CHARS))
        blank = [index for index, text in enumerate(texts) if not text]
        if not self.rules.options.is_lenient:
            self.note("external_id", dict.fromkeys(blank, MISSING))
            return texts
        self.tally.blank_ids = len(set(blank) - set(self.faults))
        for index in blank:
            texts[index] = names[index]
        return whole_ids(texts)

    def attributes(self) -> list[dict[str, str]] | None:
        constants = self.rules.column_map.attribute_constants
        fields = [name for name in self.columns if name.startswith(ATTRIBUTE)]
        has_object = ATTRIBUTES in self.columns
        if not fields and not constants and not has_object:
            return None
        attributes = [dict(constants) for _ in self.rows]
        if has_object:
            found, faults = read_attributes(self.texts(ATTRIBUTES))
            self.note_optional(ATTRIBUTES, faults)
            for known, read in zip(attributes, found, strict=True):
                known.update(read)
        for name in fields:
            texts = self._bounded(name, MAX_ATTRIBUTE_CHARS)
            for known, text in zip(attributes, texts, strict=True):
                if text:
                    known[name.removeprefix(ATTRIBUTE)] = text
        return attributes

    def wanted(
        self, good: Indices, occurred_ms: Indices, lat: FloatArray, lon: FloatArray
    ) -> Indices:
        """Leave out what happened too early or elsewhere."""
        since, within = self.rules.options.since, self.rules.options.within
        is_wanted = np.ones(good.size, dtype=np.bool_)
        if since is not None:
            is_wanted &= occurred_ms[good] >= to_milliseconds(since)
        if within is not None:
            is_wanted &= within.contain(lat[good], lon[good])
        self.tally.left_out = int(good.size - is_wanted.sum())
        return good[is_wanted]


def _chosen(values: Sequence[T] | None, indices: Indices) -> list[T]:
    return [] if values is None else [values[index] for index in indices.tolist()]
