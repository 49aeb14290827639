"""The rules for rows of events: one code and one sentence for each thing wrong.

They hold for files and for POSTs alike; `docs/ingestion.md` lists the codes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import numpy as np
import orjson
from numpy.typing import NDArray

from analytics.grid import Bounds
from analytics.ingest.numbers import Numerals

MAX_SHOWN = 80
MAX_TEXT_CHARS = 200
MAX_ATTRIBUTE_CHARS = 10_000
# Clocks of clients go wrong by about this much.
CLOCK_TOLERANCE = timedelta(minutes=1)
EXCHANGED = "Exchange the two."
PLAIN = Numerals()
THOUSANDS = re.compile(
    r"\D?\d{1,3}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,}|(?:[ \u00a0\u202f]\d{3})+)", re.ASCII
).fullmatch
# No degree is as large; metres and feet on a map are.
LEAST_PROJECTED = 1_000
PROJECTED = (
    " That is no degree but a distance on a map. Convert the file first:"
    " ogr2ogr -t_srs EPSG:4326 OUT IN."
)

FloatArray = NDArray[np.float64]


class RowCode(StrEnum):
    MISSING_VALUE = "missing_value"
    BAD_TIME = "bad_time"
    NAIVE_TIME = "naive_time"
    NONEXISTENT_TIME = "nonexistent_time"
    FUTURE_TIME = "future_time"
    TIME_OUT_OF_RANGE = "time_out_of_range"
    BAD_NUMBER = "bad_number"
    NOT_FINITE = "not_finite"
    COORDINATE_OUT_OF_RANGE = "coordinate_out_of_range"
    SWAPPED_COORDINATES = "swapped_coordinates"
    NULL_ISLAND = "null_island"
    OUTSIDE_REGION = "outside_region"
    UNKNOWN_REGION = "unknown_region"
    FIELD_TOO_LONG = "field_too_long"
    BAD_VALUE = "bad_value"
    UNKNOWN_FIELD = "unknown_field"
    NUL_BYTE = "nul_byte"
    NOT_UTF8 = "not_utf8"
    RAGGED_ROW = "ragged_row"
    BAD_QUOTES = "bad_quotes"
    BAD_JSON = "bad_json"
    NOT_A_POINT = "not_a_point"
    RETRACTED_EVENT = "retracted_event"
    INSTALLATION_EVENT = "installation_event"
    UNKNOWN_EVENT = "unknown_event"
    TRUNCATED_FILE = "truncated_file"
    CORRUPT_FILE = "corrupt_file"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one value, or with the row as a whole."""

    code: RowCode
    reason: str


Faults = dict[int, Fault]  # by the index of the row

MISSING = Fault(RowCode.MISSING_VALUE, "the value is missing.")
MISSING_NUMBER = Fault(RowCode.MISSING_VALUE, "the number is missing.")
MISSING_TIME = Fault(RowCode.MISSING_VALUE, "the time is missing.")
NUL = Fault(RowCode.NUL_BYTE, "a text holds a NUL character, so it was damaged.")
NOT_A_POINT = Fault(
    RowCode.NOT_A_POINT,
    "the feature is not a point with a longitude and a latitude.",
)
NULL_ISLAND = Fault(
    RowCode.NULL_ISLAND,
    "latitude 0, longitude 0 is what is written where the place is not known.",
)
IN_NO_REGION = Fault(
    RowCode.OUTSIDE_REGION,
    "No region holds this place. Name the region, or define one that does.",
)
EXCHANGED_INTO_REGION = Fault(
    RowCode.SWAPPED_COORDINATES,
    "No region holds this place, but exchanged the latitude and the longitude lie in"
    f" one. {EXCHANGED}",
)
NOT_ATTRIBUTES = Fault(
    RowCode.BAD_VALUE,
    f"the attributes are not a JSON object of at most {MAX_ATTRIBUTE_CHARS:,}"
    " characters, none of them NUL.",
)
RETRACTED = Fault(
    RowCode.RETRACTED_EVENT,
    "the event with this id was retracted, which is final. Send it under a new id.",
)
OF_THE_INSTALLATION = Fault(
    RowCode.INSTALLATION_EVENT,
    "a file of the installation brought this event of this source with other values."
    " Only such a file can correct it; or send it from a source of another name.",
)
UNKNOWN_EVENT = Fault(
    RowCode.UNKNOWN_EVENT,
    "no event with this id was accepted, so none can be retracted.",
)


def shown(value: str) -> str:
    """Quote a value for a sentence: short, and safe for a terminal."""
    short = value if len(value) <= MAX_SHOWN else value[:MAX_SHOWN] + "…"
    return repr(short)


def bad_time(text: str) -> Fault:
    return Fault(
        RowCode.BAD_TIME,
        f"{shown(text)} is not a time. Write it like 2026-11-23T14:05:00+01:00.",
    )


def bad_number(text: str) -> Fault:
    hint = ""
    if THOUSANDS(text):
        hint = " It has thousands separators: leave them out."
    elif "," in text:
        hint = " Use a point as the decimal sign."
    return Fault(RowCode.BAD_NUMBER, f"{shown(text)} is not a number.{hint}")


def unknown_region(slug: str) -> Fault:
    return Fault(RowCode.UNKNOWN_REGION, f"there is no region {shown(slug)}.")


def too_long(texts: Sequence[str], limit: int) -> Faults:
    return {
        index: Fault(
            RowCode.FIELD_TOO_LONG,
            f"the value has {len(text):,} characters; at most {limit:,} are kept.",
        )
        for index, text in enumerate(texts)
        if len(text) > limit
    }


def read_attributes(texts: Sequence[str]) -> tuple[list[dict[str, str]], Faults]:
    """Read JSON objects of further facts; what is no text becomes one."""
    read: list[dict[str, str]] = []
    faults: Faults = {}
    for index, text in enumerate(texts):
        try:
            found = orjson.loads(text) if text else {}
        except orjson.JSONDecodeError:
            found = None
        # A NUL may come as an escape.
        is_taken = len(text) <= MAX_ATTRIBUTE_CHARS and "\\u0000" not in text
        if isinstance(found, dict) and is_taken:
            known = {name: it for name, it in found.items() if it is not None}
            read.append({name: text_of_value(it) for name, it in known.items()})
        else:
            read.append({})
            faults[index] = NOT_ATTRIBUTES
    return read, faults


def text_of_value(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def parse_numbers(
    texts: Sequence[str], *, is_required: bool, numerals: Numerals = PLAIN
) -> tuple[FloatArray, Faults]:
    """Read numbers; NaN stands where one is missing or at fault."""
    values = _all_numbers(texts) if numerals.decimal == "." else None
    if values is not None and bool(np.isfinite(values).all()):
        return values, {}
    values = np.full(len(texts), np.nan)
    faults: Faults = {}
    for index, text in enumerate(texts):
        if not text and not is_required:
            continue
        number = read_number(text, numerals)
        if isinstance(number, Fault):
            faults[index] = number
        else:
            values[index] = number
    return values, faults


def _all_numbers(texts: Sequence[str]) -> FloatArray | None:
    joined = "".join(texts)
    # float() takes 1_000 and digits of other scripts; a file means neither.
    if "_" in joined or not joined.isascii():
        return None
    try:
        return np.array(list(map(float, texts)), dtype=np.float64)
    except ValueError:
        return None


def read_number(text: str, numerals: Numerals = PLAIN) -> float | Fault:
    """Read a decimal number that is finite."""
    if not text:
        return MISSING_NUMBER
    number = numerals.read(text)
    if number is None:
        return bad_number(text)
    if not np.isfinite(number):
        return Fault(
            RowCode.NOT_FINITE,
            f"{shown(text)} is not a finite number. Leave unknown numbers empty.",
        )
    return number


def latitude_faults(lat: FloatArray, lon: FloatArray) -> Faults:
    """Find latitudes beyond the poles; NaN is left to the reader of the text."""
    beyond = np.flatnonzero(np.abs(lat) > 90).tolist()
    return {i: latitude_fault(float(lat[i]), float(lon[i])) for i in beyond}


def longitude_faults(lon: FloatArray) -> Faults:
    beyond = np.flatnonzero(np.abs(lon) > 180).tolist()
    return {i: longitude_fault(float(lon[i])) for i in beyond}


def latitude_fault(lat: float, lon: float) -> Fault:
    """Say what is wrong with a latitude beyond the poles."""
    if abs(lat) <= 180 and abs(lon) <= 90:
        return Fault(
            RowCode.SWAPPED_COORDINATES,
            f"the latitude {lat:g} is not between -90 and 90, but the longitude"
            f" {lon:g} is: they look exchanged. {EXCHANGED}",
        )
    return Fault(
        RowCode.COORDINATE_OUT_OF_RANGE,
        f"the latitude {lat:g} is not between -90 and 90.{_hint_at_metres(lat)}",
    )


def longitude_fault(lon: float) -> Fault:
    return Fault(
        RowCode.COORDINATE_OUT_OF_RANGE,
        f"the longitude {lon:g} is not between -180 and 180.{_hint_at_metres(lon)}",
    )


def _hint_at_metres(degrees: float) -> str:
    return PROJECTED if abs(degrees) >= LEAST_PROJECTED else ""


def null_island_faults(lat: FloatArray, lon: FloatArray) -> Faults:
    """Find places at exactly 0, 0."""
    is_null = (lat == 0) & (lon == 0)
    return dict.fromkeys(np.flatnonzero(is_null).tolist(), NULL_ISLAND)


def wrapped(lon: FloatArray) -> tuple[FloatArray, int]:
    """Bring longitudes of 0 to 360 degrees east to ±180; give how many were beyond."""
    is_beyond = (lon > 180) & (lon <= 360)
    count = int(is_beyond.sum())
    return (np.where(is_beyond, np.round(lon - 360, 9), lon) if count else lon), count


def region_faults(lat: FloatArray, lon: FloatArray, bounds: Bounds) -> Faults:
    """Find valid places that lie outside the region, and say if exchanged ones do."""
    faults: Faults = {}
    outside = ~bounds.contain(lat, lon) & np.isfinite(lat) & np.isfinite(lon)
    is_exchanged = bounds.contain(lon, lat)
    for index in np.flatnonzero(outside):
        where = f"latitude {lat[index]:g}, longitude {lon[index]:g}"
        if is_exchanged[index]:
            faults[int(index)] = Fault(
                RowCode.SWAPPED_COORDINATES,
                f"{where} lies outside the region ({bounds}), but exchanged they lie"
                f" inside. {EXCHANGED}",
            )
        else:
            faults[int(index)] = Fault(
                RowCode.OUTSIDE_REGION,
                f"{where} lies outside the region ({bounds}).",
            )
    return faults
