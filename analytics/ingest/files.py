"""Files of events in their formats, and how such a file is opened."""

import shutil
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from analytics.errors import ColumnMapError, EventFileError
from analytics.ingest.archives import holds_shapefile
from analytics.ingest.column_map import REQUIRED, ColumnMap
from analytics.ingest.csv_lines import LineSource
from analytics.ingest.csv_rows import CsvRows
from analytics.ingest.geo_files import GeoFile
from analytics.ingest.geo_rows import GeoRows
from analytics.ingest.json_rows import GeoJsonRows, NdjsonRows
from analytics.ingest.parquet_rows import ParquetRows
from analytics.ingest.reading_options import AS_A_POST, ReadingOptions
from analytics.ingest.rows import RowReader
from analytics.ingest.unpacking import STANDARD_INPUT, ByteSource


class FileFormat(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"
    GEOJSON = "geojson"
    PARQUET = "parquet"
    GEO = "geo"


PACKINGS = frozenset({".gz", ".gzip", ".zst", ".zstd"})
FORMAT_OF_SUFFIX = {
    ".ndjson": FileFormat.NDJSON,
    ".jsonl": FileFormat.NDJSON,
    ".geojsonl": FileFormat.NDJSON,
    ".geojsons": FileFormat.NDJSON,
    ".geojsonseq": FileFormat.NDJSON,
    ".ndgeojson": FileFormat.NDJSON,
    ".geojson": FileFormat.GEOJSON,
    ".json": FileFormat.GEOJSON,
    ".parquet": FileFormat.PARQUET,
    ".pq": FileFormat.PARQUET,
    ".geoparquet": FileFormat.PARQUET,
    **dict.fromkeys(
        (
            *(".shp", ".gpkg", ".kml", ".kmz", ".fgb", ".gml", ".gpx", ".topojson"),
            *(".xlsx", ".ods"),
        ),
        FileFormat.GEO,
    ),
}


class OpenFile(NamedTuple):
    """The rows of a file, and what says its name, its fault and how far it is."""

    rows: RowReader
    content: ByteSource | ParquetRows | GeoRows


def format_of(path: Path) -> FileFormat:
    """Find the format by the last part of a name that is no packing; else CSV."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in PACKINGS:
        suffixes.pop()
    if suffixes[-1:] == [".zip"] and holds_shapefile(path):
        return FileFormat.GEO
    return FORMAT_OF_SUFFIX.get(suffixes[-1] if suffixes else "", FileFormat.CSV)


def read_format(name: str) -> FileFormat:
    try:
        return FileFormat(name)
    except ValueError:
        known = ", ".join(FileFormat)
        raise EventFileError(
            f"{name!r} is not a format of event files. Use one of {known}.", format=name
        ) from None


@contextmanager
def open_file(
    path: Path,
    *,
    file_format: FileFormat,
    column_map: ColumnMap,
    options: ReadingOptions = AS_A_POST,
) -> Generator[OpenFile]:
    """Open a file, or the standard input where the path is `-`."""
    if file_format is FileFormat.GEO:
        with GeoFile(path, layer=options.layer) as geo_file:
            geo_rows = GeoRows(geo_file, column_map, options)
            yield OpenFile(geo_rows, geo_rows)
        return
    if file_format is FileFormat.PARQUET:
        with _seekable(path) as file, closing(ParquetRows(file, column_map)) as rows:
            yield OpenFile(rows, rows)
        return
    with ByteSource(path) as content:
        try:
            text_rows = _text_rows(content, file_format, column_map, options)
        except EventFileError as error:
            if content.fault is None:
                raise
            # A file that is cut off or corrupt is reported as that.
            raise EventFileError(
                f"{content.name}, row 1: {content.fault.reason}", file=content.name
            ) from error
        yield OpenFile(text_rows, content)


def _text_rows(
    content: ByteSource,
    file_format: FileFormat,
    column_map: ColumnMap,
    options: ReadingOptions,
) -> RowReader:
    if file_format is FileFormat.GEOJSON:
        return GeoJsonRows(content, column_map, options)
    if file_format is FileFormat.NDJSON:
        return NdjsonRows(content, column_map, options)
    lines = LineSource(content, is_whole=lambda: content.fault is None)
    return CsvRows(lines, file=content.name, options=options)


def names_in(
    path: Path, *, file_format: FileFormat, options: ReadingOptions
) -> list[str]:
    """Give the names of the columns, or of the fields of the first rows."""
    unlikely = ColumnMap(columns={name: f"\0{name}" for name in REQUIRED})
    try:
        with open_file(
            path, file_format=file_format, column_map=unlikely, options=options
        ) as opened:
            rows = opened.rows
            return rows.names if isinstance(rows, ParquetRows) else list(rows.header)
    except ColumnMapError as error:
        found: list[str] = error.context["found"]
        return found


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
