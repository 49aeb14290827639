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
    accepted, duplicates, rejected_count
        Rows behind these; together they are all of them that are not blank. What
        corrects a stored event is accepted.
    rejected
        The refused rows, at most the first 10,000.
    broken_off
        Where and why the file could not be read to its end, if so.
    ambiguous_times
        Local times that the clocks showed twice; they count as the first.
    cells
        In how many cells the accepted events lie.
    """

    file: str
    skipped: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    rejected_count: int = 0
    rejected_by_code: dict[str, int] = field(default_factory=dict)
    broken_off: Rejection | None = None
    is_dry_run: bool = False
    ambiguous_times: int = 0
    first_occurred_at: datetime | None = None
    last_occurred_at: datetime | None = None
    cells: int = 0
    seconds: float = 0.0

    @property
    def row_count(self) -> int:
        return self.accepted + self.duplicates + self.rejected_count

    def reject(self, rejection: Rejection) -> None:
        self.rejected_count += 1
        code = rejection.code.value
        self.rejected_by_code[code] = self.rejected_by_code.get(code, 0) + 1
        if len(self.rejected) < MAX_LISTED_REJECTIONS:
            self.rejected.append(rejection)


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
