"""Which formats files of events come in, and which names have which format."""

from enum import StrEnum
from pathlib import Path

from analytics.errors import EventFileError


class FileFormat(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"
    GEOJSON = "geojson"
    PARQUET = "parquet"


PACKINGS = frozenset({".gz", ".gzip", ".zst", ".zstd"})
FORMAT_OF_SUFFIX = {
    ".ndjson": FileFormat.NDJSON,
    ".jsonl": FileFormat.NDJSON,
    ".geojson": FileFormat.GEOJSON,
    ".json": FileFormat.GEOJSON,
    ".parquet": FileFormat.PARQUET,
    ".pq": FileFormat.PARQUET,
}


def format_of(path: Path) -> FileFormat:
    """Find the format by the last part of a name that is no packing; else CSV."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in PACKINGS:
        suffixes.pop()
    return FORMAT_OF_SUFFIX.get(suffixes[-1] if suffixes else "", FileFormat.CSV)


def read_format(name: str) -> FileFormat:
    try:
        return FileFormat(name)
    except ValueError:
        known = ", ".join(FileFormat)
        raise EventFileError(
            f"{name!r} is not a format of event files. Use one of {known}.", format=name
        ) from None
