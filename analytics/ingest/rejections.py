"""Why a row was refused, as a sentence that says where and what to do."""

from dataclasses import dataclass
from enum import StrEnum

MAX_SHOWN = 80


class RejectionCode(StrEnum):
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
    OUTSIDE_REGION = "outside_region"
    FIELD_TOO_LONG = "field_too_long"
    NUL_BYTE = "nul_byte"
    NOT_UTF8 = "not_utf8"
    RAGGED_ROW = "ragged_row"
    BAD_QUOTES = "bad_quotes"
    BAD_JSON = "bad_json"
    NOT_A_POINT = "not_a_point"
    CONFLICTING_ID = "conflicting_id"
    TRUNCATED_FILE = "truncated_file"
    CORRUPT_FILE = "corrupt_file"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one value."""

    code: RejectionCode
    reason: str


Faults = dict[int, Fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One refused row of a file.

    `row` is its line, the header of a CSV file being line 1; in GeoJSON and Parquet
    it is the number of the feature or row, from 1.
    """

    file: str
    row: int
    column: str | None
    code: RejectionCode
    reason: str
    value: str | None = None

    def __str__(self) -> str:
        where = f", column {self.column}" if self.column else ""
        return f"{self.file}, row {self.row}{where}: {self.reason}"


def shown(value: str) -> str:
    """Quote a value for a sentence: short, and safe for a terminal."""
    short = value if len(value) <= MAX_SHOWN else value[:MAX_SHOWN] + "…"
    return repr(short)
