"""Chunks of raw rows in; good events and reasons for refusing the rest out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics.grid import Bounds
from analytics.ingest.column_map import ATTRIBUTE, ColumnMap
from analytics.ingest.events import DEFAULT_EVENT_TYPE, EventColumns
from analytics.ingest.numbers import parse_numbers
from analytics.ingest.places import latitude_faults, longitude_faults, region_faults
from analytics.ingest.rejections import Fault, Faults, RejectionCode
from analytics.ingest.times import parse_times

MAX_TEXT_CHARS = 200
MAX_ATTRIBUTE_CHARS = 10_000
MISSING = Fault(RejectionCode.MISSING_VALUE, "the value is missing.")

Row = Sequence[str]
T = TypeVar("T")
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRules:
    """What rows are held against."""

    column_map: ColumnMap
    now: datetime
    zone: ZoneInfo | None = None
    bounds: Bounds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a chunk.

    Parameters
    ----------
    events
        The good ones.
    places
        Where in the chunk each good event stood.
    faults
        Place in the chunk to the field and its fault.
    """

    events: EventColumns
    places: NDArray[np.int64]
    faults: Mapping[int, tuple[str, Fault]]
    ambiguous_count: int


class RowValidator:
    """Judges the rows of one file."""

    def __init__(self, *, columns: Mapping[str, int], rules: RowRules) -> None:
        self._columns = columns
        self._rules = rules

    def validate(self, rows: Sequence[Row], names: Sequence[str] = ()) -> Verdict:
        """Judge rows as long as the header; the first fault of a row counts.

        `names` are the ids of rows whose source names none.
        """
        reading = _Reading(rows, self._columns)
        times = parse_times(
            reading.texts("occurred_at"), now=self._rules.now, zone=self._rules.zone
        )
        reading.note("occurred_at", times.faults)
        lat, lon = reading.coordinates(self._rules.bounds)
        severity, amount = reading.measure("severity"), reading.measure("amount")
        event_type, ids = reading.words("event_type"), reading.words("external_id")
        attributes = reading.attributes(self._rules.column_map.attribute_constants)
        places = reading.good_places()
        events = EventColumns(
            occurred_ms=times.occurred_ms[places],
            lat=lat[places],
            lon=lon[places],
            external_id=_chosen(ids or names or None, places),
            event_type=_chosen(event_type, places) or self._constant_type(),
            severity=None if severity is None else severity[places],
            amount=None if amount is None else amount[places],
            attributes=_chosen(attributes, places) or None,
        )
        return Verdict(
            events=events,
            places=places,
            faults=reading.faults,
            ambiguous_count=times.ambiguous_count,
        )

    def _constant_type(self) -> str:
        constants = self._rules.column_map.constants
        return constants.get("event_type", DEFAULT_EVENT_TYPE)


class _Reading:
    """Reads the mapped fields of rows and notes what is wrong with them."""

    def __init__(self, rows: Sequence[Row], columns: Mapping[str, int]) -> None:
        self.faults: dict[int, tuple[str, Fault]] = {}
        self._rows = rows
        self._columns = columns

    def texts(self, field: str) -> list[str]:
        column = self._columns[field]
        return [row[column].strip() for row in self._rows]

    def note(self, field: str, faults: Faults) -> None:
        for place, fault in faults.items():
            self.faults.setdefault(place, (field, fault))

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

    def words(self, field: str) -> list[str] | None:
        if field not in self._columns:
            return None
        texts = self.texts(field)
        self.note(field, {i: MISSING for i, text in enumerate(texts) if not text})
        self.note(field, _too_long(texts, MAX_TEXT_CHARS))
        return texts

    def attributes(self, constants: Mapping[str, str]) -> list[dict[str, str]] | None:
        fields = [field for field in self._columns if field.startswith(ATTRIBUTE)]
        if not fields and not constants:
            return None
        attributes = [dict(constants) for _ in self._rows]
        for field in fields:
            texts, name = self.texts(field), field.removeprefix(ATTRIBUTE)
            self.note(field, _too_long(texts, MAX_ATTRIBUTE_CHARS))
            for known, text in zip(attributes, texts, strict=True):
                if text:
                    known[name] = text
        return attributes

    def good_places(self) -> NDArray[np.int64]:
        is_good = np.ones(len(self._rows), dtype=np.bool_)
        is_good[list(self.faults)] = False
        return np.flatnonzero(is_good)


def _too_long(texts: Sequence[str], limit: int) -> Faults:
    return {
        place: Fault(
            RejectionCode.FIELD_TOO_LONG,
            f"the value has {len(text):,} characters; at most {limit:,} are kept.",
        )
        for place, text in enumerate(texts)
        if len(text) > limit
    }


def _chosen(values: Sequence[T] | None, places: NDArray[np.int64]) -> list[T]:
    return [] if values is None else [values[place] for place in places.tolist()]
