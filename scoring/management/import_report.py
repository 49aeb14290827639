"""What the import of a file says on the terminal, and writes of refused rows."""

import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from django.core.management.base import OutputWrapper

from analytics.ingest.report import ImportReport, Rejection
from riskplatform.kernel.commands import Pace
from riskplatform.kernel.csv_writing import csv_text

SHOWN_REJECTIONS = 20
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
    document["rows_per_s"] = round(report.row_count / max(report.seconds, 1e-6))
    return json.dumps(document, default=str)


def as_text(report: ImportReport, *, region: str) -> str:
    verb = "would be stored" if report.is_dry_run else "stored"
    rows_per_s = report.row_count / max(report.seconds, 1e-6)
    text = (
        f"{report.file}: {report.accepted:,} events {verb} in {region!r},"
        f" {report.duplicates:,} were there already, {report.rejected_count:,} rows"
        f" refused ({report.seconds:.1f} s, {rows_per_s:,.0f} rows/s)."
    )
    if report.skipped:
        text += (
            f"\nThis import went on behind {report.skipped:,} rows that an interrupted"
            " one had settled; --restart begins at the first row."
        )
    if report.accepted and not report.is_dry_run:
        text += f"\nNext: manage.py fit_model --region {region}"
    return text
