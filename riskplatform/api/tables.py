"""Answers as tables: CSV that a spreadsheet may open, and Arrow IPC streams."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rest_framework.exceptions import NotAcceptable

from riskplatform.api.renderers import OrjsonRenderer
from riskplatform.kernel.csv_writing import csv_text

CSV_ROWS_AT_ONCE: Final = 5_000
Column = NDArray[Any] | Sequence[str]


class CsvRenderer(OrjsonRenderer):
    """Lets CSV be asked for; what is no table, a problem, stays JSON."""

    media_type = "text/csv"
    format = "csv"


class ArrowRenderer(OrjsonRenderer):
    """Lets Arrow be asked for; what is no table, a problem, stays JSON."""

    media_type = "application/vnd.apache.arrow.stream"
    format = "arrow"


def csv_pieces(columns: Mapping[str, Column]) -> Iterator[bytes]:
    """Write equally long columns under a line of their names (RFC 4180).

    Some rows at a time: as a text they take four times what their bytes do.
    """
    yield csv_text([columns]).encode()
    rows = zip(*map(_values, columns.values()), strict=True)
    while some := list(islice(rows, CSV_ROWS_AT_ONCE)):
        yield csv_text(some).encode()


def arrow_table(columns: Mapping[str, Column], *, facts: Mapping[str, str]) -> bytes:
    """Write equally long columns as one stream; `facts` become its metadata.

    Raises
    ------
    NotAcceptable
        The optional package pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise NotAcceptable("Arrow needs the package pyarrow, which is not installed.")
    # Heavy and optional: only who asks for Arrow pays for the import.
    arrow = import_module("pyarrow")
    table = arrow.table(dict(columns)).replace_schema_metadata(dict(facts))
    sink = arrow.BufferOutputStream()
    with arrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _values(column: Column) -> Sequence[Any]:
    if isinstance(column, np.ndarray):
        values: list[Any] = column.tolist()
        return values
    return column
