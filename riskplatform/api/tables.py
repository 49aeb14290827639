"""The one writer of tables: CSV that a spreadsheet may open, Arrow IPC and Parquet.

All three are written batch by batch, in memory of one batch.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from riskplatform.api.renderers import JsonRenderer
from riskplatform.kernel.arrow import load_arrow
from riskplatform.kernel.csv_writing import csv_text
from riskplatform.kernel.errors import ApplicationError
from riskplatform.kernel.extras import MissingExtraError

CSV_ROWS_AT_ONCE: Final = 5_000
Column = NDArray[Any] | Sequence[Any]
Batch = Mapping[str, Column]  # equally long columns by their names


class UnavailableFormatError(ApplicationError):
    """A format whose library is not installed."""

    code = "format_not_available"
    title = "The answer cannot be given in this format"
    status = 406


class CsvRenderer(JsonRenderer):
    """Lets clients accept CSV; a problem stays JSON."""

    media_type = "text/csv"
    format = "csv"


class ArrowRenderer(JsonRenderer):
    """Lets clients accept Arrow; a problem stays JSON."""

    media_type = "application/vnd.apache.arrow.stream"
    format = "arrow"


class ParquetRenderer(JsonRenderer):
    """Lets clients accept Parquet; a problem stays JSON."""

    media_type = "application/vnd.apache.parquet"
    format = "parquet"


def csv_pieces(names: Iterable[str], batches: Iterable[Batch]) -> Iterator[bytes]:
    """Write batches under a line of the names of their columns (RFC 4180).

    Some rows at a time: as a text they take four times what their bytes do.
    """
    yield csv_text([names]).encode()
    for batch in batches:
        rows = zip(*map(_values, batch.values()), strict=True)
        while some := list(islice(rows, CSV_ROWS_AT_ONCE)):
            yield csv_text(some).encode()


def arrow_pieces(schema: Any, batches: Iterable[Batch]) -> Iterator[bytes]:
    """Write batches as an Arrow IPC stream."""
    return _written(schema, batches, arrow_module().ipc.new_stream)


def parquet_pieces(schema: Any, batches: Iterable[Batch]) -> Iterator[bytes]:
    writer = arrow_module("pyarrow.parquet").ParquetWriter
    return _written(
        schema, batches, lambda sink, schema: writer(sink, schema, compression="zstd")
    )


def schema_of(columns: Batch, *, metadata: Mapping[str, str]) -> Any:
    """Give the Arrow schema that the columns have by themselves."""
    schema = arrow_module().table(dict(columns)).schema
    return schema.with_metadata(dict(metadata))


def arrow_module(name: str = "pyarrow") -> Any:
    """Import a module of pyarrow.

    Raises
    ------
    UnavailableFormatError
        It is not installed.
    """
    try:
        return load_arrow(name, purpose="An answer as Arrow or Parquet")
    except MissingExtraError:
        raise UnavailableFormatError(
            "Arrow and Parquet need the package pyarrow, which is not installed here."
            " Ask for CSV."
        ) from None


def _written(
    schema: Any, batches: Iterable[Batch], open_writer: Callable[[BytesIO, Any], Any]
) -> Iterator[bytes]:
    to_arrow = arrow_module().RecordBatch.from_pydict
    sink = BytesIO()
    writer = open_writer(sink, schema)
    try:
        for batch in batches:
            writer.write_batch(to_arrow(dict(batch), schema=schema))
            yield _taken(sink)
    finally:
        writer.close()
    yield _taken(sink)


def _taken(sink: BytesIO) -> bytes:
    """Take out what has been written; the writer counts by itself where it is."""
    written = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return written


def _values(column: Column) -> Sequence[Any]:
    if isinstance(column, np.ndarray):
        values: list[Any] = column.tolist()
        return values
    return column
