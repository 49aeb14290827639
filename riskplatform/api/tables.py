"""Answers as tables: CSV that a spreadsheet may open, and Arrow IPC streams."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rest_framework.exceptions import NotAcceptable

from riskplatform.api.renderers import OrjsonRenderer

CSV_ROWS_AT_ONCE: Final = 5_000
Column = NDArray[Any] | Sequence[str]

# What makes spreadsheets take a text for a formula (CWE-1236).
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


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
    yield _csv_lines([columns])
    rows = zip(*map(_csv_values, columns.values()), strict=True)
    while some := list(islice(rows, CSV_ROWS_AT_ONCE)):
        yield _csv_lines(some)


def _csv_lines(rows: Iterable[Iterable[Any]]) -> bytes:
    out = StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


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


def _csv_values(column: Column) -> Sequence[Any]:
    if isinstance(column, np.ndarray):
        values: list[Any] = column.tolist()
        return values
    return [f"'{text}" if text.startswith(FORMULA_STARTS) else text for text in column]
