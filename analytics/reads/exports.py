"""Events as files: CSV, Arrow and Parquet, in memory of some rows."""

from collections.abc import Iterable, Iterator
from typing import Any

from analytics.metrics import EXPORTED_EVENTS
from analytics.models.event import LISTED
from riskplatform.api.tables import (
    Batch,
    CsvRenderer,
    ParquetRenderer,
    arrow_module,
    arrow_pieces,
    csv_pieces,
    parquet_pieces,
)

BATCH_ROWS = 10_000
BATCH_CHARS = 1 << 21
ATTRIBUTES = LISTED.index("attributes")

Row = tuple[Any, ...]  # the columns LISTED of an event


def export_pieces(name: str, rows: Iterable[Row]) -> Iterator[bytes]:
    """Write events in the format of this name; cells are hexadecimal in CSV."""
    batches = _batches(rows, name)
    if name == CsvRenderer.format:
        return csv_pieces(LISTED, map(_with_hex_cells, batches))
    write = parquet_pieces if name == ParquetRenderer.format else arrow_pieces
    return write(_schema(), batches)


def _schema() -> Any:
    pa = arrow_module()
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


def _with_hex_cells(batch: Batch) -> Batch:
    return {**batch, "cell": [f"{cell:x}" for cell in batch["cell"]]}


def _batches(rows: Iterable[Row], name: str) -> Iterator[Batch]:
    """Gather rows until they are many or, as far as their attributes go, large."""
    batch, size = list[Row](), 0
    for row in rows:
        batch.append(row)
        size += sum(map(len, row[ATTRIBUTES].values()))
        if len(batch) >= BATCH_ROWS or size >= BATCH_CHARS:
            yield _counted(batch, name)
            batch, size = [], 0
    if batch:
        yield _counted(batch, name)


def _counted(batch: list[Row], name: str) -> Batch:
    EXPORTED_EVENTS.labels(name).inc(len(batch))
    return dict(zip(LISTED, zip(*batch, strict=True), strict=True))
