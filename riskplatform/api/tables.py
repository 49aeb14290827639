"""Answers as tables: CSV that a spreadsheet may open, and Arrow IPC streams."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rest_framework.exceptions import NotAcceptable

from riskplatform.api.renderers import OrjsonRenderer
from riskplatform.kernel.csv_writing import csv_text

Column = NDArray[Any] | Sequence[str]


class CsvRenderer(OrjsonRenderer):
    """Lets CSV be asked for; what is no table, a problem, stays JSON."""

    media_type = "text/csv"
    format = "csv"


class ArrowRenderer(OrjsonRenderer):
    """Lets Arrow be asked for; what is no table, a problem, stays JSON."""

    media_type = "application/vnd.apache.arrow.stream"
    format = "arrow"


def csv_table(columns: Mapping[str, Column]) -> bytes:
    """Write equally long columns under a line of their names (RFC 4180)."""
    rows = zip(*map(_values, columns.values()), strict=True)
    return csv_text([tuple(columns), *rows]).encode()


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
