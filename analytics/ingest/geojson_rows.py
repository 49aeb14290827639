"""Rows out of GeoJSON: the points of a FeatureCollection and their properties."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from analytics.errors import EventFileError
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.json_fields import PEEKED_ROWS, FieldReader, check_names
from analytics.ingest.json_stream import JsonStream, read_features
from analytics.ingest.rows import BadRow, NumberedRow
from analytics.ingest.rules import Fault, RowCode

# What a feature says outside its properties; `@` keeps it apart from these.
LAT, LON, ID = "@lat", "@lon", "@id"
PLACES = {"lat": LAT, "lon": LON}
NOT_A_POINT = BadRow(
    Fault(
        RowCode.NOT_A_POINT,
        "the feature is not a point with a longitude and a latitude.",
    )
)


class GeoJsonRows:
    """Iterates over (number of the feature, its fields or what is wrong).

    Where the text breaks off or is no JSON any more, `fault` says so, and the rows
    before it count.
    """

    def __init__(
        self, pieces: Iterable[bytes], *, column_map: ColumnMap, file: str
    ) -> None:
        self.fault: Fault | None = None
        self.number = 0
        self._stream = JsonStream(pieces, file=file)
        self._fields = FieldReader(column_map)
        self.header = self._fields.header
        self.identity = self._fields.identity
        self._features = read_features(self._stream)
        # The first features are read at once: what fails here is no import at all.
        self._peeked = deque(map(_record_of, islice(self._features, PEEKED_ROWS)))
        if not self._peeked:
            raise EventFileError(f"{file} has no features.", file=file)
        good = (record for record in self._peeked if not isinstance(record, BadRow))
        check_names(good, column_map, file=file)

    @property
    def char_count(self) -> int:
        return self._stream.char_count

    def __iter__(self) -> Iterator[NumberedRow]:
        while self._peeked:
            yield self._row(self._peeked.popleft())
        try:
            for feature in self._features:
                yield self._row(_record_of(feature))
        except EventFileError as error:
            self.fault = Fault(
                RowCode.CORRUPT_FILE,
                f"{error.message} Fetch the file again and repeat the import.",
            )

    def _row(self, record: Mapping[str, Any] | BadRow) -> NumberedRow:
        self.number += 1
        if isinstance(record, BadRow):
            return self.number, record
        return self.number, self._fields.read(record)


def _record_of(feature: object) -> dict[str, Any] | BadRow:
    """Put what a feature says into one object."""
    if not isinstance(feature, dict):
        return NOT_A_POINT
    geometry, properties = feature.get("geometry"), feature.get("properties")
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        return NOT_A_POINT
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        return NOT_A_POINT
    record = dict(properties) if isinstance(properties, dict) else {}
    return record | {LON: coordinates[0], LAT: coordinates[1], ID: feature.get("id")}
