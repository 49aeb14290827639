"""The public event sets on which skill is reported, with their frozen test blocks.

The sets are no part of the product: they lie in a folder of their own, one folder a
set with `events.csv.gz` (time, lat, lon, type, severity). The last fifth of the span
of each is the test block; regions, models and parameters come from what is before.
"""

import csv
import gzip
import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import h3.api.numpy_int as h3
import numpy as np

from scoring.engine.arrays import Cells, Flags, Floats
from scoring.engine.errors import EngineError
from scoring.engine.events import (
    ONE_EACH,
    EventHistory,
    SeverityTransform,
    build_history,
)
from scoring.engine.grid import Grid, build_grid

EVENTS: Final = "events.csv.gz"
TRAINING_SHARE: Final = 0.8
LAT_BOUNDS: Final = (-90.0, 90.0)
LON_BOUNDS: Final = (-180.0, 180.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDescription:
    """How one set is read and gridded.

    Attributes
    ----------
    folder : str
    resolution : int
        H3 resolution of the cells.
    clock : str
        Zone of the times in the file.
    smallest_severity : float, optional
        Events below are dropped: the catalogue is not complete there.
    lat_bounds, lon_bounds : pair of float
    """

    folder: str
    resolution: int
    clock: str = "UTC"
    smallest_severity: float | None = None
    transform: SeverityTransform = ONE_EACH
    lat_bounds: tuple[float, float] = LAT_BOUNDS
    lon_bounds: tuple[float, float] = LON_BOUNDS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrozenSet:
    """A set on its grid.

    Attributes
    ----------
    split_s : float
        Where the test block begins, unix seconds.
    digest : str
        SHA-256 of the file of events.
    """

    name: str
    grid: Grid
    history: EventHistory
    timezone: str
    split_s: float
    digest: str

    def n_origins(self, horizon_s: float) -> int:
        """Whole windows of the test block."""
        return int((float(self.history.occurred_s[-1]) - self.split_s) // horizon_s)


FROZEN_SETS: Final[dict[str, SetDescription]] = {
    "san_jacinto": SetDescription(
        folder="socal_sanjacinto_quakes_2008_2017",
        resolution=6,
        transform=SeverityTransform(kind="exponential", coefficient=0.4, reference=1.0),
    ),
    "chicago": SetDescription(
        folder="chicago_agg_assault_2010_2019", resolution=8, clock="America/Chicago"
    ),
    "tornado": SetDescription(
        folder="us_tornado_2007_2022",
        resolution=3,
        lat_bounds=(24.0, 50.0),
        lon_bounds=(-125.0, -66.0),
    ),
    "japan": SetDescription(
        folder="japan_quakes_1990_2019",
        resolution=4,
        smallest_severity=4.5,
        transform=SeverityTransform(kind="exponential", coefficient=0.4, reference=4.5),
    ),
}


def load_frozen_set(folder: Path, name: str) -> FrozenSet:
    """Read one set below `folder`.

    The region holds every cell that had an event before the test block, and their
    neighbours.

    Raises
    ------
    EngineError
        When no set has that name or its file is absent.
    """
    if name not in FROZEN_SETS:
        raise EngineError(f"No set is called {name!r}. Choose from {[*FROZEN_SETS]}.")
    description = FROZEN_SETS[name]
    path = folder / description.folder / EVENTS
    if not path.is_file():
        raise EngineError(f"The event set {name} is absent: there is no file {path}.")
    times_s, places, severity = _read(path, description)
    cells: Cells = np.array(
        [
            h3.latlng_to_cell(lat, lon, description.resolution)
            for lat, lon in places.tolist()
        ],
        dtype=np.uint64,
    )
    split_s = times_s[0] + TRAINING_SHARE * (times_s[-1] - times_s[0])
    grid = build_grid(_with_neighbours(np.unique(cells[times_s < split_s])))
    return FrozenSet(
        name=name,
        grid=grid,
        history=build_history(
            grid, cells, times_s, severity=severity, transform=description.transform
        ),
        timezone=description.clock,
        split_s=float(split_s),
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _read(path: Path, description: SetDescription) -> tuple[Floats, Floats, Floats]:
    """Unix seconds ascending, pairs of lat and lon, severities."""
    zone = ZoneInfo(description.clock)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [
            (
                datetime.fromisoformat(row["time"]).replace(tzinfo=zone).timestamp(),
                float(row["lat"]),
                float(row["lon"]),
                float(row.get("severity") or "nan"),
            )
            for row in csv.DictReader(lines)
        ]
    table = np.array(rows, dtype=np.float64)
    inside = _within(table[:, 1], description.lat_bounds)
    inside &= _within(table[:, 2], description.lon_bounds)
    if description.smallest_severity is not None:
        inside &= table[:, 3] >= description.smallest_severity
    table = table[inside]
    table = table[np.argsort(table[:, 0], kind="stable")]
    return table[:, 0], table[:, 1:3], table[:, 3]


def _within(values: Floats, bounds: tuple[float, float]) -> Flags:
    return (values > bounds[0]) & (values < bounds[1])


def _with_neighbours(cells: Cells) -> Cells:
    return np.unique(np.concatenate([h3.grid_disk(c, 1) for c in cells.tolist()]))
