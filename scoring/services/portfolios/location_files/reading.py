"""Rows of assets out of the bytes of a file, and what is wrong with the others."""

from collections.abc import Iterable, Iterator

from analytics.errors import EventFileError
from analytics.ingest.csv_rows import CsvRows, LineSource
from analytics.ingest.rows import BadRow
from scoring.errors import AssetFileError
from scoring.services.portfolios.location_files.faults import FaultList, RowFault
from scoring.services.portfolios.location_files.layouts import (
    AssetRow,
    Layout,
    detect_layout,
)


class LocationFile:
    """Iterates over the rows that can be read, and notes the faults of the others."""

    def __init__(
        self, pieces: Iterable[bytes], *, name: str, faults: FaultList
    ) -> None:
        self.row_count = 0
        self._faults = faults
        try:
            self._rows = CsvRows(LineSource(pieces), file=name)
        except EventFileError as error:
            raise AssetFileError(error.message) from error
        self.layout: Layout = detect_layout(self._rows.header)

    def __iter__(self) -> Iterator[AssetRow]:
        row_of: dict[str, int] = {}
        for number, texts in self._rows:
            self.row_count += 1
            read = _read(self.layout, number, texts)
            if not isinstance(read, AssetRow):
                for fault in read:
                    self._faults.add(fault)
                continue
            first = row_of.setdefault(read.reference, number)
            if first == number:
                yield read
            else:
                self._faults.add(self.layout.repeated(read, first))


def _read(
    layout: Layout, number: int, texts: list[str] | BadRow
) -> AssetRow | list[RowFault]:
    if not isinstance(texts, BadRow):
        return layout.read(number, texts)
    fault = texts.fault
    return [
        RowFault(
            row=number,
            column=texts.column,
            code=fault.code.value,
            reason=fault.reason,
        )
    ]
