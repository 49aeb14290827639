"""What the import of a file says on the terminal, and writes of refused rows."""

import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, TextIO

from django.core.management.base import OutputWrapper

from analytics.ingest.report import ImportReport, Rejection
from riskplatform.kernel.commands import Pace
from riskplatform.kernel.csv_writing import csv_text
from scoring.models import Region
from scoring.selectors.where_to_look import on_visibility
from scoring.services.imports.texts import report_lines

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
    document["row_count"] = report.row_count
    document["rows_per_s"] = round(report.row_count / max(report.seconds, 1e-6))
    return json.dumps(document, default=str)


def as_text(report: ImportReport, *, region: Region) -> str:
    lines = list(report_lines(report, region=region))
    if report.accepted and not report.is_dry_run:
        lines.append(on_visibility(region))
        lines.append(f"Next: manage.py fit_model --region {region.slug}")
    return "\n".join(lines)


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
