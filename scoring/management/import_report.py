"""What the import of a file says on the terminal, and writes of refused rows."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, TextIO

from django.core.management.base import OutputWrapper

from analytics.ingest.report import ImportReport, Rejection
from riskplatform.kernel.commands import Pace
from riskplatform.kernel.csv_writing import csv_text
from scoring.management.where_to_look import on_visibility
from scoring.models import Region

SHOWN_REJECTIONS = 20
SHOWN_EMPTIED = 5
COLUMNS = ("row", "column", "code", "reason", "value")


class ProgressLine:
    """Says at most every few seconds how far an import is."""

    def __init__(self, out: OutputWrapper) -> None:
        self.rows_done = 0
        self._out = out
        self._pace = Pace()

    def __call__(
        self,
        rows_done: int,
        *,
        rows_per_s: float,
        fraction: float | None,
        left_s: float | None = None,
    ) -> None:
        self.rows_done = rows_done
        if self._pace.is_due():
            share = "" if fraction is None else f" ({fraction:.0%})"
            left = "" if left_s is None else f", {left_s:.0f} s left"
            self._out.write(
                f"{rows_done:,} rows{share}, {rows_per_s:,.0f} rows/s{left}"
            )


class RejectionListing:
    """Lists refused rows: the first on the terminal, all of them in a file."""

    def __init__(self, out: OutputWrapper, path: Path | None, stack: ExitStack) -> None:
        self._out = out
        self._count = 0
        self._file: TextIO | None = None
        if path is not None:
            opened = path.open("w", encoding="utf-8", newline="")
            self._file = stack.enter_context(opened)
            self._file.write(csv_text([COLUMNS]))
        else:
            stack.callback(self._say_what_is_not_shown)

    def add(self, rejection: Rejection) -> None:
        self._count += 1
        if self._count <= SHOWN_REJECTIONS:
            self._out.write(str(rejection))
        if self._file is not None:
            start = (rejection.row, rejection.column, rejection.code.value)
            self._file.write(csv_text([(*start, rejection.reason, rejection.value)]))

    def _say_what_is_not_shown(self) -> None:
        if self._count > SHOWN_REJECTIONS:
            hidden = self._count - SHOWN_REJECTIONS
            self._out.write(f"… and {hidden} more; list all with --rejections FILE.")


def as_json(report: ImportReport, *, region: str, source: str) -> str:
    document = {**asdict(report), "region": region, "source": source}
    document["row_count"] = report.row_count
    document["rows_per_s"] = round(report.row_count / max(report.seconds, 1e-6))
    return json.dumps(document, default=str)


def as_text(report: ImportReport, *, region: Region) -> str:
    verb = "would be stored" if report.is_dry_run else "stored"
    rows_per_s = report.row_count / max(report.seconds, 1e-6)
    text = (
        f"{report.file}: {report.accepted:,} events {verb} in {region.slug!r},"
        f" {report.duplicates:,} were there already, {report.rejected_count:,} rows"
        f" refused ({report.seconds:.1f} s, {rows_per_s:,.0f} rows/s)."
    )
    lines = [
        text,
        *_on_file(report),
        *_on_rows(report, region),
        *_on_extent(report, region),
    ]
    lines += [*report.oddities, *report.suggestions]
    if report.accepted and not report.is_dry_run:
        lines.append(on_visibility(region))
        lines.append(f"Next: manage.py fit_model --region {region.slug}")
    return "\n".join(lines)


def _on_file(report: ImportReport) -> Iterator[str]:
    if report.skipped:
        yield (
            f"This import went on behind {report.skipped:,} rows that an interrupted"
            " one had settled; --restart begins at the first row."
        )
    if report.is_dry_run:
        columns = [name for name in report.columns if "\0" not in name]
        yield f"Columns: {', '.join(columns)}"
    if report.decided:
        yield f"Found by looking, and forced by: {' '.join(report.decided)}"


def _on_rows(report: ImportReport, region: Region) -> Iterator[str]:
    """Say what was done to rows besides taking and refusing them."""
    if report.changed:
        yield (
            f"{report.changed:,} rows changed: their ids are there with other values,"
            " which stay; --update takes those of the file. An id stands for one event."
        )
    if report.corrected:
        yield f"{report.corrected:,} events took other values than they had."
    if report.left_out:
        yield f"{report.left_out:,} rows were left out by --since or --within."
    if report.naive_times:
        chosen = "--times-in" if report.times_in != region.timezone else "the region's"
        yield (
            f"{report.naive_times:,} times without an offset are times of"
            f" {report.times_in} ({chosen} zone; --times-in ZONE names another)."
        )
    if report.wrapped_longitudes:
        yield f"{report.wrapped_longitudes:,} longitudes beyond 180 are west of it."
    if report.blank_ids:
        yield f"{report.blank_ids:,} rows without an id are named by their content."
    yield from _on_emptied(report)


def _on_emptied(report: ImportReport) -> Iterator[str]:
    if not report.emptied_count:
        return
    columns = (f"{name} {n:,}" for name, n in report.emptied_by_column.items())
    yield (
        f"{report.emptied_count:,} fields could not be read and are empty:"
        f" {', '.join(columns)}. The first:"
    )
    yield from (f"  {one}" for one in report.emptied[:SHOWN_EMPTIED])


def _on_extent(report: ImportReport, region: Region) -> Iterator[str]:
    """Say where and when the events are, and which grid would suit them."""
    if report.extent is not None and report.first_occurred_at is not None:
        south, west, north, east = report.extent
        yield (
            f"From {report.first_occurred_at:%Y-%m-%d %H:%M} to"
            f" {report.last_occurred_at:%Y-%m-%d %H:%M} UTC,"
            f" latitude {south:g} to {north:g}, longitude {west:g} to {east:g};"
            f" {report.midnight_share:.0%} of the times are midnight."
        )
    if report.cells_by_resolution:
        counts = ", ".join(
            f"{cells:,} at {resolution}"
            for resolution, cells in sorted(report.cells_by_resolution.items())
        )
        yield (
            f"Cells of a region of these events, by resolution: {counts}."
            f" Proposed: --resolution {report.proposed_resolution}"
            f" (here: {region.resolution})."
        )


@dataclass(frozen=True, slots=True)
class RefusalLimit:
    """How many rows of a file may be refused: a number, or a share of all."""

    text: str
    number: float

    @classmethod
    def parse(cls, text: str) -> Self:
        if text.endswith("%"):
            share = float(text[:-1]) / 100
            if not 0 <= share <= 1:
                raise ValueError(text)
            return cls(text, share)
        count = int(text)
        if count < 0:
            raise ValueError(text)
        return cls(text, count)

    def __str__(self) -> str:
        return self.text

    def allows(self, report: ImportReport) -> bool:
        of = report.row_count if self.text.endswith("%") else 1
        return report.rejected_count <= self.number * of
