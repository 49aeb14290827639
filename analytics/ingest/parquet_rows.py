"""Rows out of Parquet, a batch of columns at a time."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from analytics.errors import EventFileError
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.rows import BadRow, NumberedRow, RowReader
from analytics.ingest.rules import NUL, Fault, RowCode
from analytics.ingest.unpacking import open_binary
from riskplatform.kernel.arrow import load_arrow

BATCH_ROWS = 10_000
PURPOSE = "A Parquet file"
BAD_TEXT = BadRow(NUL)


class ParquetRows(RowReader):
    """Reads values as the texts that a CSV file would have; rows count from 1."""

    def __init__(self, path: Path, column_map: ColumnMap) -> None:
        super().__init__()
        self.name = path.name
        self._arrow = load_arrow(purpose=PURPOSE)
        self._file = _open(path)
        names: list[str] = self._file.schema_arrow.names
        if "external_id" in column_map.columns:
            # Only a row without an id is named by all that it says.
            wanted = set(column_map.columns.values())
            is_complete = wanted <= set(names)
            names = [name for name in names if name in wanted or not is_complete]
        self.header = names
        self.identity = sorted(range(len(names)), key=lambda index: names[index])

    @property
    def fraction(self) -> float:
        row_count: int = self._file.metadata.num_rows
        return self.number / max(row_count, 1)

    def close(self) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[NumberedRow]:
        batches = self._file.iter_batches(batch_size=BATCH_ROWS, columns=self.header)
        while True:
            try:
                batch = next(batches, None)
            except (OSError, ValueError) as error:
                self.fault = Fault(
                    RowCode.CORRUPT_FILE,
                    f"the Parquet file is damaged from about here on ({error})."
                    " Fetch the file again and repeat the import.",
                )
                return
            if batch is None:
                return
            self.char_count += batch.nbytes
            yield from self._rows(batch)

    def _rows(self, batch: Any) -> Iterator[NumberedRow]:
        columns = [self._texts(column) for column in batch.columns]
        may_hold_nul = any("\0" in "".join(column) for column in columns)
        for fields in zip(*columns, strict=True):
            self.number += 1
            bad = may_hold_nul and "\0" in "".join(fields)
            yield self.number, BAD_TEXT if bad else list(fields)

    def _texts(self, column: Any) -> list[str]:
        """Write values as CSV would; what is null or not a number is left empty."""
        arrow, kinds = self._arrow, self._arrow.types
        try:
            if kinds.is_timestamp(column.type):
                column = self._in_utc(column)
            texts: list[str | None] = column.cast(arrow.string()).to_pylist()
        except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError):
            # Lists, structures and bytes.
            texts = [repr(value) for value in column.to_pylist()]
        if kinds.is_floating(column.type):
            return ["" if text in {None, "nan"} else str(text) for text in texts]
        return [text or "" for text in texts]

    def _in_utc(self, column: Any) -> Any:
        """Take the offset off, and the fraction where all are whole seconds."""
        arrow = self._arrow
        zone = None if column.type.tz is None else "UTC"
        try:
            return column.cast(arrow.timestamp("s", zone))
        except arrow.ArrowInvalid:
            return column.cast(arrow.timestamp("us", zone), safe=False)


def _open(path: Path) -> Any:
    parquet = load_arrow("pyarrow.parquet", purpose=PURPOSE)
    open_binary(path).close()
    try:
        return parquet.ParquetFile(path)
    except (OSError, ValueError) as error:
        first = next(islice(str(error).splitlines(), 1), "").rstrip(".")
        raise EventFileError(
            f"{path.name} cannot be read as Parquet ({first}).", file=path.name
        ) from None
