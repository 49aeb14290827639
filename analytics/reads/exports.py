"""Events as files: CSV from the standard library, Arrow and Parquet with the extra."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

import orjson

from analytics.errors import UnavailableFormatError
from analytics.metrics import EXPORTED_EVENTS
from analytics.models.event import LISTED
from riskplatform.kernel.csv_writing import csv_text

BATCH_ROWS = 10_000
BATCH_CHARS = 1 << 21
CELL = LISTED.index("cell")
ATTRIBUTES = LISTED.index("attributes")

Row = tuple[Any, ...]
Encode = Callable[[Iterable[Row]], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFormat:
    name: str
    media_type: str
    encode: Encode


def get_format(name: str) -> ExportFormat:
    """Find a format; one whose library is not installed is not available."""
    known = FORMATS.get(name)
    if known is None:
        raise UnavailableFormatError(
            f"There is no export as {name!r}. There are: {', '.join(FORMATS)}."
        )
    if name != CSV.name:
        _load("pyarrow")
    return known


def encode_csv(rows: Iterable[Row]) -> Iterator[bytes]:
    yield _csv_lines([LISTED])
    for batch in _batches(rows, CSV.name):
        yield _csv_lines([_csv_row(row) for row in batch])


def encode_arrow(rows: Iterable[Row]) -> Iterator[bytes]:
    """Write an Arrow IPC stream."""
    pa = _load("pyarrow")
    return _written(rows, ARROW.name, pa.ipc.new_stream)


def encode_parquet(rows: Iterable[Row]) -> Iterator[bytes]:
    pq = _load("pyarrow.parquet")
    return _written(
        rows,
        PARQUET.name,
        lambda sink, schema: pq.ParquetWriter(sink, schema, compression="zstd"),
    )


CSV = ExportFormat(name="csv", media_type="text/csv", encode=encode_csv)
ARROW = ExportFormat(
    name="arrow",
    media_type="application/vnd.apache.arrow.stream",
    encode=encode_arrow,
)
PARQUET = ExportFormat(
    name="parquet",
    media_type="application/vnd.apache.parquet",
    encode=encode_parquet,
)
FORMATS: Mapping[str, ExportFormat] = {
    known.name: known for known in (CSV, ARROW, PARQUET)
}


class _Sink(io.RawIOBase):
    """Takes what a writer writes until it is asked for."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(self._pieces[-1])

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken


def _written(
    rows: Iterable[Row], name: str, open_writer: Callable[[_Sink, Any], Any]
) -> Iterator[bytes]:
    pa = _load("pyarrow")
    schema, sink = _schema(pa), _Sink()
    writer = open_writer(sink, schema)
    try:
        for batch in _batches(rows, name):
            columns = [
                pa.array(column, field.type)
                for column, field in zip(zip(*batch, strict=True), schema, strict=True)
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            yield sink.take()
    finally:
        writer.close()
    yield sink.take()


def _schema(pa: Any) -> Any:
    text = pa.dictionary(pa.int32(), pa.string())
    moment = pa.timestamp("ms", tz="UTC")
    types = {
        "external_id": pa.string(),
        "cell": pa.uint64(),
        "occurred_at": moment,
        "ingested_at": moment,
        "attributes": pa.map_(pa.string(), pa.string()),
    }
    numbers = dict.fromkeys(("lat", "lon", "severity", "amount"), pa.float64())
    return pa.schema([(name, (types | numbers).get(name, text)) for name in LISTED])


def _batches(rows: Iterable[Row], name: str) -> Iterator[Sequence[Row]]:
    """Gather rows until they are many or, as far as their attributes go, large."""
    batch, size = list[Row](), 0
    for row in rows:
        batch.append(row)
        size += sum(map(len, row[ATTRIBUTES].values()))
        if len(batch) >= BATCH_ROWS or size >= BATCH_CHARS:
            EXPORTED_EVENTS.labels(name).inc(len(batch))
            yield batch
            batch, size = [], 0
    if batch:
        EXPORTED_EVENTS.labels(name).inc(len(batch))
        yield batch


def _csv_lines(rows: Iterable[Iterable[object]]) -> bytes:
    return csv_text(rows, line_end="\n").encode()


def _csv_row(row: Row) -> list[object]:
    cells: list[object] = [
        value.isoformat() if isinstance(value, datetime) else value for value in row
    ]
    cells[CELL] = f"{row[CELL]:x}"
    cells[ATTRIBUTES] = orjson.dumps(row[ATTRIBUTES]).decode()
    return cells


def _load(module: str) -> Any:
    """Import pyarrow when it is needed; web processes do not load it at start."""
    try:
        return import_module(module)
    except ImportError:
        raise UnavailableFormatError(
            "Arrow and Parquet need the extra `arrow`, which is not installed here."
            " Ask for CSV."
        ) from None
