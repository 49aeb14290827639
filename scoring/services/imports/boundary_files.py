"""Reads files of areas as GeoJSON: GeoJSON itself, and what GDAL reads."""

from pathlib import Path
from typing import Any, Final

import orjson

from analytics.errors import EventFileError
from analytics.ingest.files import FileFormat, format_of
from analytics.ingest.geo_files import EXTRA, GDAL_FAULTS, GeoFile
from analytics.ingest.unpacking import ByteSource, limited
from riskplatform.kernel.extras import load_extra
from scoring.errors import BoundaryError
from scoring.services.boundaries import MAX_AREAS

MAX_BYTES: Final = 1 << 26


def read_boundary_file(path: Path) -> dict[str, Any]:
    """Give what a file of polygons says as GeoJSON in degrees, for `read_boundary`.

    Raises
    ------
    EventFileError, BoundaryError, BodyTooLargeError, MissingExtraError
        It cannot be read, or has too many bytes or areas.
    """
    file_format = format_of(path)
    if file_format is FileFormat.GEO:
        return _by_gdal(path)
    if file_format is not FileFormat.GEOJSON:
        raise BoundaryError(
            f"{path.name} is no boundary by its name: give GeoJSON, a Shapefile, a"
            " GeoPackage, KML or another geographic file."
        )
    with ByteSource(path) as source:
        content = b"".join(
            limited(source, max_bytes=MAX_BYTES, what="of a boundary has")
        )
        if source.fault is not None:
            raise EventFileError(f"{path.name}: {source.fault.reason}")
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise BoundaryError(f"{path.name} is not JSON: {error}.") from None
    return document if isinstance(document, dict) else {}


def _by_gdal(path: Path) -> dict[str, Any]:
    shapely = load_extra("shapely", extra=EXTRA, purpose="A boundary in this format")
    features: list[dict[str, Any]] = []
    with GeoFile(path) as file:
        if file.info["features"] > MAX_AREAS:
            raise BoundaryError(
                f"{path.name} has {file.info['features']:,} features; a boundary has at"
                f" most {MAX_AREAS:,} areas."
            )
        try:
            for batch, geometry in file.batches():
                rows = batch.to_pylist()
                shapes = [row.pop(geometry, None) for row in rows]
                drawn = shapely.to_geojson(shapely.from_wkb(shapes))
                features += [
                    {
                        "properties": row,
                        "geometry": None if shape is None else orjson.loads(shape),
                    }
                    for row, shape in zip(rows, drawn, strict=True)
                ]
        except (*GDAL_FAULTS, shapely.errors.ShapelyError) as error:
            raise file.unusable(f"cannot be read ({error})") from None
    return {"type": "FeatureCollection", "features": features}
