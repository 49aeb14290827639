"""Rows out of geographic files and spreadsheets; places come in WGS 84."""

from collections.abc import Iterator
from typing import Any

from analytics.ingest.arrow_columns import ArrowColumns, point_of
from analytics.ingest.column_map import ColumnMap, parts_of
from analytics.ingest.geo_files import EXTRA, GDAL_FAULTS, GeoFile
from analytics.ingest.reading_options import ReadingOptions
from analytics.ingest.rows import BadRow, NumberedRow, RowReader
from analytics.ingest.rules import NOT_A_POINT, NUL, Fault, RowCode
from riskplatform.kernel.extras import load_extra

PLACE = ("@lon", "@lat")


class GeoRows(RowReader):
    """Reads features as the texts that a CSV file would have; they count from 1."""

    def __init__(
        self, file: GeoFile, column_map: ColumnMap, options: ReadingOptions
    ) -> None:
        super().__init__()
        self._file, self.name = file, file.name
        self._takes_centroids = options.point == "centroid"
        self._info = file.info
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
            for batch, geometry in self._file.batches():
                self.char_count += batch.nbytes
                yield from self._rows(batch, geometry)
        except GDAL_FAULTS as error:
            self.fault = Fault(
                RowCode.CORRUPT_FILE,
                f"the file is damaged from about here on ({error})."
                " Fetch the file again and repeat the import.",
            )

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
