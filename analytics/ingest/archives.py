"""Names what a file is that is not read as it is, and what makes it readable."""

import zipfile
import zlib
from pathlib import Path

SHOWN_MEMBERS = 5
CONVERT = "ogr2ogr -f CSV -lco GEOMETRY=AS_XY -t_srs EPSG:4326 OUT.csv IN"
SPREADSHEET = "libreoffice --headless --convert-to csv"
ZIP = b"PK\x03\x04"
# ValueError: names that are no text; NotImplementedError: a version to come;
# RuntimeError: it wants a password.
BROKEN_ZIP = (
    *(OSError, zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError),
    *(EOFError, zlib.error),
)
GEO = "a geographic file; import it with --format geo"
# How files begin, and what to do with such.
KINDS = {
    ZIP: "a ZIP archive or a spreadsheet; save it as CSV",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"PAR1": "a Parquet file; import it with --format parquet",
    b"ARROW1": "an Arrow file; write it as Parquet",
    b"FEA1": "a Feather file; write it as Parquet",
    b"Obj\x01": "an Avro file; write it as Parquet",
    b"ORC": "an ORC file; write it as Parquet",
    b"BZh": "packed with bzip2; unpack it first",
    b"\xfd7zXZ": "packed with xz; unpack it first",
    b"7z\xbc\xaf": "a 7-Zip archive; unpack it first: 7z x FILE",
    b"Rar!": "a RAR archive; unpack it first: unrar x FILE",
    b"\x1f\x9d": "packed with compress; unpack it first: gunzip FILE",
    b"SQLite f": GEO,
    b"fgb\x03": GEO,
    b"\x00\x00\x27\x0a": f"the .shp of a Shapefile, {GEO}",
    b"\xd0\xcf\x11\xe0": f"an old spreadsheet; save it as CSV: {SPREADSHEET} FILE",
    b"%PDF": "a PDF document, not data; look for the file that it was made of",
    b"\x89HDF": "an HDF5 or netCDF file; write its variables as CSV first",
    b"CDF\x01": "a netCDF file; write its variables as CSV first: ncdump",
    b"CDF\x02": "a netCDF file; write its variables as CSV first: ncdump",
    b"GRIB": f"a GRIB file; convert it first: {CONVERT}",
    b"\x89PNG": "an image, not data",
    b"\xff\xd8\xff": "an image, not data",
    b"GIF8": "an image, not data",
    b"\x80\x04": "a Python pickle, which is never read; write it as CSV or Parquet",
}
MARKUP = {
    b"<kml": GEO,
    b"<gpx": GEO,
    b"<gml": GEO,
    b"<!doctype html": "a web page, not data; download the file that it links to",
    b"<html": "a web page, not data; download the file that it links to",
    b"<q:quakeml": "QuakeML; ask the service for format=csv or geojson",
    b"<?xml": f"XML; convert it first: {CONVERT}",
}


def kind_of(start: bytes) -> str | None:
    """Say what a file is that begins so, if it is none that is read as text."""
    for magic, meaning in KINDS.items():
        if start.startswith(magic):
            return meaning
    if start[257:262] == b"ustar":
        return "a tar archive; unpack it first: tar -xf FILE"
    return _markup_of(start)


def _markup_of(start: bytes) -> str | None:
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not text.startswith(b"<"):
        return None
    return next((meaning for mark, meaning in MARKUP.items() if mark in text), None)


def kind_of_archive(path: Path) -> str:
    """Say what a ZIP archive holds, and how to read it."""
    names = _members(path)
    if any(name.startswith("xl/") for name in names):
        return "a spreadsheet; import it with --format geo, or save it as CSV"
    if not names:
        return KINDS[ZIP]
    shown, first = ", ".join(names[:SHOWN_MEMBERS]), names[0]
    return (
        f"a ZIP archive of {shown}; unpack it:"
        f" unzip -p {path.name} {first} | manage.py import_events -"
    )


def holds_shapefile(path: Path) -> bool:
    return any(name.lower().endswith(".shp") for name in _members(path))


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except BROKEN_ZIP:
        return []
