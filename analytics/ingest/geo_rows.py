"""Rows out of geographic files and spreadsheets, by GDAL; places come in WGS 84."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from analytics.errors import EventFileError
from analytics.ingest.arrow_columns import ArrowColumns, point_of
from analytics.ingest.column_map import ColumnMap, parts_of
from analytics.ingest.reading_options import ReadingOptions
from analytics.ingest.rows import BadRow, NumberedRow, RowReader
from analytics.ingest.rules import NOT_A_POINT, NUL, Fault, RowCode
from analytics.ingest.unpacking import (
    MAX_START_BYTES,
    STANDARD_INPUT,
    open_binary,
)
from riskplatform.kernel.extras import load_extra

PURPOSE = "A geographic file or a spreadsheet"
EXTRA = "geo"
PLACE = ("@lon", "@lat")
BATCH_ROWS = 10_000
VIRTUAL = b"<OGRVRT"
# GDAL opens much more by its content, also what names other files or addresses.
DRIVERS = frozenset(
    {
        *("ESRI Shapefile", "GPKG", "KML", "LIBKML", "FlatGeobuf", "GML", "GPX"),
        *("TopoJSON", "XLSX", "ODS", "MapInfo File"),
    }
)
REPROJECTED = """<OGRVRTDataSource><OGRVRTWarpedLayer>
<OGRVRTLayer name="{layer}"><SrcDataSource>{file}</SrcDataSource>
<SrcLayer>{layer}</SrcLayer></OGRVRTLayer>
<TargetSRS>EPSG:4326</TargetSRS></OGRVRTWarpedLayer></OGRVRTDataSource>"""
IN_DEGREES = frozenset({"EPSG:4326", "OGC:CRS84", "EPSG:4979"})


class GeoRows(RowReader):
    """Reads features as the texts that a CSV file would have; they count from 1."""

    def __init__(
        self, path: Path, column_map: ColumnMap, options: ReadingOptions
    ) -> None:
        super().__init__()
        self.name = path.name
        if path == STANDARD_INPUT:
            raise self._unusable("cannot be a geographic file: give the file itself")
        with open_binary(path) as file:
            # GDAL would open what such a text names.
            if VIRTUAL in file.read(MAX_START_BYTES):
                raise self._unusable("is a virtual file of GDAL, which is not taken")
        self._library = load_extra("pyogrio", extra=EXTRA, purpose=PURPOSE)
        load_extra("pyarrow", extra=EXTRA, purpose=PURPOSE)
        self._takes_centroids = options.point == "centroid"
        self._file = f"/vsizip/{path}" if path.suffix.lower() == ".zip" else str(path)
        self._layer = self._chosen(options.layer)
        self._info = self._described()
        self._has_places = self._info["geometry_type"] is not None
        fields = [str(name) for name in self._info["fields"]]
        self.header = [*fields, *(PLACE if self._has_places else ())]
        columns = column_map.columns.values()
        mapped = {part for it in columns for part in parts_of(it, self.header)}
        self._columns = ArrowColumns(mapped)
        indices = range(len(self.header))
        self.identity = sorted(indices, key=lambda index: self.header[index])

    @property
    def fraction(self) -> float:
        return self.number / max(int(self._info["features"]), 1)

    def __iter__(self) -> Iterator[NumberedRow]:
        try:
            for batch, geometry in self._batches():
                self.char_count += batch.nbytes
                yield from self._rows(batch, geometry)
        # What GDAL cannot read on is a RuntimeError of its reader, or one of Arrow.
        except (RuntimeError, OSError, ValueError) as error:
            self.fault = Fault(
                RowCode.CORRUPT_FILE,
                f"the file is damaged from about here on ({error})."
                " Fetch the file again and repeat the import.",
            )

    def _batches(self) -> Iterator[tuple[Any, str]]:
        arrow = load_extra("pyarrow", extra=EXTRA, purpose=PURPOSE)
        opened = self._library.open_arrow(
            self._source(), datetime_as_string=True, batch_size=BATCH_ROWS
        )
        with opened as (meta, stream):
            geometry = meta["geometry_name"] or "wkb_geometry"
            for batch in arrow.RecordBatchReader.from_stream(stream):
                yield batch, geometry

    def _rows(self, batch: Any, geometry: str) -> Iterator[NumberedRow]:
        names = self.header[: len(self._info["fields"])]
        columns = [self._columns.texts(batch.column(name), name) for name in names]
        shapes = [None] * len(batch)
        if self._has_places:
            shapes = batch.column(geometry).to_pylist()
        for index, shape in enumerate(shapes):
            self.number += 1
            fields = [column[index] for column in columns]
            point = self._point(shape) if self._has_places else ()
            if "\0" in "".join(fields):
                yield self.number, BadRow(NUL)
            elif point is None:
                yield self.number, BadRow(NOT_A_POINT)
            else:
                yield self.number, [*fields, *map(repr, point)]

    def _point(self, shape: bytes | None) -> tuple[float, float] | None:
        point = point_of(shape)
        if point is not None or shape is None or not self._takes_centroids:
            return point
        shapely = load_extra("shapely", extra=EXTRA, purpose="--point centroid")
        centre = shapely.from_wkb(shape).centroid
        return None if centre.is_empty else (centre.x, centre.y)

    def _chosen(self, wanted: str) -> str:
        """Find the layer: the one there is, or the one that was named."""
        try:
            layers = [str(name) for name, _ in self._library.list_layers(self._file)]
        except (RuntimeError, OSError, ValueError) as error:
            first = next(islice(str(error).splitlines(), 1), "").partition(";")[0]
            raise self._unusable(f"cannot be read ({first.rstrip('.')})") from None
        if wanted in layers:
            return wanted
        if wanted or len(layers) != 1:
            raise self._unusable(
                f"has the layers {', '.join(layers) or 'none'}; name one with --layer"
            )
        return layers[0]

    def _described(self) -> dict[str, Any]:
        try:
            info: dict[str, Any] = self._library.read_info(
                self._file, layer=self._layer, force_feature_count=True
            )
        except (RuntimeError, OSError, ValueError) as error:
            raise self._unusable(f"cannot be read ({error})") from None
        if info["driver"] not in DRIVERS:
            raise self._unusable(f"is {info['driver']}, which is not taken")
        return info

    def _source(self) -> bytes:
        """Describe the layer to GDAL, in degrees."""
        file, layer = escape(self._file), escape(self._layer, {'"': "&quot;"})
        crs = self._info["crs"]
        if crs is not None and crs not in IN_DEGREES:
            return REPROJECTED.format(file=file, layer=layer).encode()
        plain = REPROJECTED.replace("<OGRVRTWarpedLayer>\n", "").replace(
            "\n<TargetSRS>EPSG:4326</TargetSRS></OGRVRTWarpedLayer>", ""
        )
        return plain.format(file=file, layer=layer).encode()

    def _unusable(self, reason: str) -> EventFileError:
        return EventFileError(f"{self.name} {reason}.", file=self.name)
