"""Opens geographic files and spreadsheets by GDAL, which is shown little of them.

GDAL chooses among its drivers by the content of a file, and some of them follow it to
other files and addresses. So all but ours are taken away from it before it opens one.
"""

import shutil
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Final, Self
from xml.sax.saxutils import escape

from analytics.errors import EventFileError
from analytics.ingest.archives import BROKEN_ZIP, ZIP, holds_shapefile
from analytics.ingest.unpacking import STANDARD_INPUT, open_binary
from riskplatform.kernel.extras import load_extra

PURPOSE: Final = "A geographic file or a spreadsheet"
EXTRA: Final = "geo"
BATCH_ROWS: Final = 10_000
DRIVERS: Final = frozenset(
    {
        *("ESRI Shapefile", "GPKG", "KML", "LIBKML", "FlatGeobuf", "GML", "GPX"),
        *("TopoJSON", "XLSX", "ODS"),
    }
)
# Reads what is written below, and no file.
VIRTUAL: Final = "OGR_VRT"
VIRTUAL_MARK: Final = b"<OGRVRT"
# More than any driver has read of a text when others are asked whether it is theirs.
MAX_LOOKED_BYTES: Final = 1 << 20
# These are read piece by piece, all others as a whole.
PIECEWISE: Final = (b"SQLite f", b"fgb\x03", b"\x00\x00\x27\x0a")
MAX_WHOLE_BYTES: Final = 1 << 28
MAX_SHAPES_BYTES: Final = 1 << 32
OF_SHAPES: Final = frozenset({".shp", ".shx", ".dbf", ".prj", ".cpg"})
REPROJECTED: Final = """<OGRVRTDataSource><OGRVRTWarpedLayer>
<OGRVRTLayer name="{layer}"><SrcDataSource>{file}</SrcDataSource>
<SrcLayer>{layer}</SrcLayer></OGRVRTLayer>
<TargetSRS>EPSG:4326</TargetSRS></OGRVRTWarpedLayer></OGRVRTDataSource>"""
PLAIN: Final = REPROJECTED.replace("<OGRVRTWarpedLayer>\n", "").replace(
    "\n<TargetSRS>EPSG:4326</TargetSRS></OGRVRTWarpedLayer>", ""
)
# What its reader raises where a file is damaged.
GDAL_FAULTS: Final = (RuntimeError, OSError, ValueError, IndexError)
IN_DEGREES: Final = frozenset({"EPSG:4326", "OGC:CRS84", "EPSG:4979"})


class GeoFile:
    """A layer of a file, the one that there is or the one that is named.

    Raises
    ------
    EventFileError
        It is none of our formats, is virtual, or has too many bytes to be opened.
    MissingExtraError
        The extra `geo` is not installed.
    """

    def __init__(self, path: Path, *, layer: str = "") -> None:
        self.name = path.name
        if path == STANDARD_INPUT:
            raise self.unusable("cannot be a geographic file: give the file itself")
        self._check_start(path)
        self._library = _gdal()
        self._folder: TemporaryDirectory[str] | None = None
        try:
            self._file = str(self._unpacked(path) if holds_shapefile(path) else path)
            self._layer = self._chosen(layer)
            self.info = self._described()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def batches(self) -> Iterator[tuple[Any, str]]:
        """Give batches of Arrow, places in WGS 84, and the name of their geometry.

        What GDAL cannot read on is one of GDAL_FAULTS.
        """
        arrow = load_extra("pyarrow", extra=EXTRA, purpose=PURPOSE)
        opened = self._library.open_arrow(
            self._source(), datetime_as_string=True, batch_size=BATCH_ROWS
        )
        with opened as (meta, stream):
            geometry = meta["geometry_name"] or "wkb_geometry"
            for batch in arrow.RecordBatchReader.from_stream(stream):
                yield batch, geometry

    def unusable(self, reason: str) -> EventFileError:
        return EventFileError(f"{self.name} {reason}.", file=self.name)

    def _check_start(self, path: Path) -> None:
        """Refuse what names other files, and what would fill the memory."""
        with open_binary(path) as file:
            start = file.read(MAX_LOOKED_BYTES)
        if VIRTUAL_MARK in start:
            raise self.unusable("is a virtual file of GDAL, which is not taken")
        if start.startswith(PIECEWISE):
            return
        size_bytes, most = path.stat().st_size, MAX_WHOLE_BYTES
        if start.startswith(ZIP):
            most = MAX_SHAPES_BYTES if holds_shapefile(path) else most
            size_bytes = self._unpacked_bytes(path)
        if size_bytes > most:
            raise self.unusable(
                f"has {size_bytes:,} bytes, unpacked; at most {most:,} are read of"
                " such a file. Convert it to a GeoPackage: ogr2ogr OUT.gpkg IN"
            )

    def _unpacked_bytes(self, path: Path) -> int:
        try:
            with zipfile.ZipFile(path) as archive:
                return sum(member.file_size for member in archive.infolist())
        except BROKEN_ZIP:
            raise self.unusable("is a damaged ZIP archive: fetch it again") from None

    def _unpacked(self, path: Path) -> Path:
        """Put a zipped Shapefile on the disk, and nothing else that is with it."""
        self._folder = TemporaryDirectory()
        folder = Path(self._folder.name)
        try:
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    name = PurePosixPath(member.filename.lower()).name
                    if PurePosixPath(name).suffix not in OF_SHAPES:
                        continue
                    with (
                        archive.open(member) as packed,
                        (folder / name).open("wb") as f,
                    ):
                        shutil.copyfileobj(packed, f)
        except BROKEN_ZIP as error:
            raise self.unusable(f"cannot be unpacked ({error})") from None
        return folder

    def _chosen(self, wanted: str) -> str:
        """Find the layer: the one there is, or the one that was named."""
        try:
            layers = [str(name) for name, _ in self._library.list_layers(self._file)]
        except GDAL_FAULTS as error:
            first = str(error).partition("\n")[0].partition(";")[0].rstrip(".")
            reason = first.replace(self._file, self.name)
            raise self.unusable(f"cannot be read ({reason})") from None
        if wanted in layers:
            return wanted
        if not layers:
            raise self.unusable("has no layer that can be read")
        if wanted or len(layers) > 1:
            raise self.unusable(
                f"has the layers {', '.join(layers)}; name one with --layer"
            )
        return layers[0]

    def _described(self) -> dict[str, Any]:
        try:
            info: dict[str, Any] = self._library.read_info(
                self._file, layer=self._layer, force_feature_count=True
            )
        except GDAL_FAULTS as error:
            raise self.unusable(f"cannot be read ({error})") from None
        if info["driver"] not in DRIVERS:
            raise self.unusable(f"is {info['driver']}, which is not taken")
        return info

    def _source(self) -> bytes:
        """Describe the layer to GDAL, in degrees."""
        file, layer = escape(self._file), escape(self._layer, {'"': "&quot;"})
        crs = self.info["crs"]
        is_plain = crs is None or crs in IN_DEGREES
        form = PLAIN if is_plain else REPROJECTED
        return form.format(file=file, layer=layer).encode()


@cache
def _gdal() -> Any:
    """Load GDAL, once a process, with our drivers only and without the network.

    Drivers go where GDAL_SKIP names them while they are registered, which happens when
    pyogrio is imported; so they are registered again.
    """
    library = load_extra("pyogrio", extra=EXTRA, purpose=PURPOSE)
    load_extra("pyarrow", extra=EXTRA, purpose=PURPOSE)
    others = library.list_drivers().keys() - DRIVERS - {VIRTUAL}
    configure = library.set_gdal_config_options
    configure({"GDAL_SKIP": ",".join(others), "GML_DOWNLOAD_SCHEMA": "NO"})
    load_extra("pyogrio._ogr", extra=EXTRA, purpose=PURPOSE)._register_drivers()  # noqa: SLF001 - has no public name
    configure({"GDAL_SKIP": None})
    left = library.list_drivers().keys() - DRIVERS - {VIRTUAL}
    if left:
        raise EventFileError(
            f"This build of GDAL cannot be kept from opening {', '.join(sorted(left))};"
            " install the wheel of pyogrio from PyPI."
        )
    return library
