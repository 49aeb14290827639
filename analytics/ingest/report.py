"""What an import did, which rows it refused, and how far it is."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from analytics.ingest.rules import RowCode

MAX_LISTED_REJECTIONS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One refused row of a file.

    `row` is its line, the header of a CSV file being line 1; in GeoJSON and Parquet
    it is the number of the feature or row, from 1.
    """

    file: str
    row: int
    column: str | None
    code: RowCode
    reason: str
    value: str | None = None

    def __str__(self) -> str:
        where = f", column {self.column}" if self.column else ""
        return f"{self.file}, row {self.row}{where}: {self.reason}"


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What an import did; it grows while the import runs.

    Parameters
    ----------
    skipped
        Rows at the beginning of the file that an earlier run had settled.
    accepted, duplicates, changed, left_out, rejected_count
        Rows behind these; together they are all of them that are not blank. What
        corrects a stored event is accepted; `changed` would correct one and was not
        taken; what was not asked for is left out.
    corrected
        How many of the accepted correct an event that was there.
    rejected
        The refused rows, at most the first 10,000.
    emptied, emptied_count
        Rows that were accepted without an optional field, which could not be read.
    broken_off
        Where and why the file could not be read to its end, if so.
    ambiguous_times
        Local times that the clocks showed twice; they count as the first.
    naive_times
        Times without an offset, which are times of `times_in`.
    wrapped_longitudes
        Longitudes of 180 to 360 that were brought to ±180.
    blank_ids
        Rows without an id in a file of ids; they are named by their content.
    cells
        In how many cells the accepted events lie.
    extent
        South, west, north and east of the good events, in degrees.
    midnight_share
        Of the good events, those whose time is midnight by the clocks of the file.
    cells_by_resolution, proposed_resolution
        How many cells a region of these events would have, said by a rehearsal.
    columns
        Names of the columns that were read.
    decided
        Options that would force what was decided by looking at the file.
    oddities, suggestions
        Sentences about what looks wrong, and about what to type.
    fitting
        The options to type that would read what was refused, where there is no doubt.
    """

    file: str
    skipped: int = 0
    accepted: int = 0
    duplicates: int = 0
    corrected: int = 0
    changed: int = 0
    left_out: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    rejected_count: int = 0
    rejected_by_code: dict[str, int] = field(default_factory=dict)
    emptied: list[Rejection] = field(default_factory=list)
    emptied_count: int = 0
    emptied_by_column: dict[str, int] = field(default_factory=dict)
    broken_off: Rejection | None = None
    is_dry_run: bool = False
    times_in: str | None = None
    ambiguous_times: int = 0
    naive_times: int = 0
    wrapped_longitudes: int = 0
    blank_ids: int = 0
    first_occurred_at: datetime | None = None
    last_occurred_at: datetime | None = None
    cells: int = 0
    extent: tuple[float, float, float, float] | None = None
    midnight_share: float = 0.0
    cells_by_resolution: dict[int, int] = field(default_factory=dict)
    proposed_resolution: int | None = None
    columns: list[str] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)
    suggestions: list[str] = field(default_factory=list)
    fitting: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def row_count(self) -> int:
        taken = self.accepted + self.duplicates + self.changed + self.left_out
        return taken + self.rejected_count

    @property
    def is_all_refused(self) -> bool:
        """No row was taken, though there were some."""
        return self.rejected_count > 0 and self.row_count == self.rejected_count

    def reject(self, rejection: Rejection) -> None:
        self.rejected_count += 1
        code = rejection.code.value
        self.rejected_by_code[code] = self.rejected_by_code.get(code, 0) + 1
        if len(self.rejected) < MAX_LISTED_REJECTIONS:
            self.rejected.append(rejection)

    def empty(self, field_of_row: Rejection) -> None:
        """Note a field that a row was taken without."""
        self.emptied_count += 1
        column = field_of_row.column or ""
        self.emptied_by_column[column] = self.emptied_by_column.get(column, 0) + 1
        if len(self.emptied) < MAX_LISTED_REJECTIONS:
            self.emptied.append(field_of_row)


class ImportProgress(NamedTuple):
    """How far an import is.

    Parameters
    ----------
    rows_done
        Rows of the file whose outcome is settled, those of an earlier run included.
    fraction
        Of the bytes of the file on the disk; none where the size is not known.
    report
        What the import has done so far.
    """

    rows_done: int
    fraction: float | None
    report: ImportReport

    @property
    def rows_per_s(self) -> float:
        return self.report.row_count / self.report.seconds

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest will take at this pace."""
        if self.fraction is None:
            return None
        return self.report.seconds * (1 - self.fraction) / max(self.fraction, 1e-6)
