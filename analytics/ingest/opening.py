"""Opens a file of events in its format: rows, how far they are, what broke."""

import shutil
import sys
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from analytics.errors import EventFileError
from analytics.ingest.byte_source import STANDARD_INPUT, ByteSource
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.file_format import FileFormat
from analytics.ingest.geojson_rows import GeoJsonRows
from analytics.ingest.line_source import LineSource
from analytics.ingest.ndjson_rows import NdjsonRows
from analytics.ingest.parquet_rows import ParquetRows
from analytics.ingest.row_source import RowSource
from analytics.ingest.rows import Rows
from analytics.ingest.rules import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """A file that is being read; `fraction` is none where the size is unknown."""

    name: str
    rows: Rows
    fraction: Callable[[], float | None]
    fault: Callable[[], Fault | None]


@contextmanager
def open_file(
    path: Path, *, file_format: FileFormat, column_map: ColumnMap
) -> Generator[OpenFile]:
    """Open a file, or the standard input where the path is `-`."""
    if file_format is FileFormat.PARQUET:
        with _seekable(path) as seekable, _parquet(seekable, column_map) as opened:
            yield opened
        return
    with ByteSource(path) as content:
        try:
            opened = _text_file(content, file_format, column_map)
        except EventFileError as error:
            if content.fault is None:
                raise
            # A file that is cut off or corrupt is reported as that.
            raise EventFileError(
                f"{content.name}, row 1: {content.fault.reason}", file=content.name
            ) from error
        yield opened


def _text_file(
    content: ByteSource, file_format: FileFormat, column_map: ColumnMap
) -> OpenFile:
    name = content.name
    rows: RowSource | NdjsonRows | GeoJsonRows
    if file_format is FileFormat.GEOJSON:
        rows = features = GeoJsonRows(content, column_map=column_map, file=name)
        return OpenFile(
            name=name,
            rows=rows,
            fraction=lambda: content.fraction,
            fault=lambda: content.fault or features.fault,
        )
    lines = LineSource(content, is_whole=lambda: content.fault is None)
    if file_format is FileFormat.NDJSON:
        rows = NdjsonRows(lines, column_map=column_map, file=name)
    else:
        rows = RowSource(lines, file=name)
    return OpenFile(
        name=name,
        rows=rows,
        fraction=lambda: content.fraction,
        fault=lambda: content.fault,
    )


@contextmanager
def _parquet(path: Path, column_map: ColumnMap) -> Generator[OpenFile]:
    with closing(ParquetRows(path, column_map=column_map)) as rows:
        yield OpenFile(
            name=rows.name,
            rows=rows,
            fraction=lambda: rows.fraction,
            fault=lambda: rows.fault,
        )


@contextmanager
def _seekable(path: Path) -> Generator[Path]:
    """Put what comes by a pipe on the disk: Parquet is read from its end."""
    if path != STANDARD_INPUT:
        yield path
        return
    with NamedTemporaryFile(suffix=".parquet") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        file.flush()
        yield Path(file.name)
