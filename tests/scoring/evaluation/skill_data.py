"""Event sets in a folder, made up from a seed, under the names of the frozen ones."""

import csv
import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from scoring.engine.frozen_sets import EVENTS, FROZEN_SETS

START = datetime(2015, 1, 1, tzinfo=UTC)
DAYS = 260
N_EVENTS = 400
PLACES = {"chicago": (41.85, -87.68), "san_jacinto": (33.5, -116.5)}
SPREADS = {"chicago": 0.003, "san_jacinto": 0.02}


def write_set(data: Path, name: str, *, seed: int = 5) -> Path:
    """Write events around three centres that stay as busy as they are."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    spread = SPREADS[name]
    centres = np.array(PLACES[name]) + rng.normal(scale=2 * spread, size=(3, 2))
    chosen = rng.choice(3, size=N_EVENTS, p=np.array([0.6, 0.3, 0.1]))
    places = centres[chosen] + rng.normal(scale=spread, size=(N_EVENTS, 2))
    days = np.sort(rng.uniform(0, DAYS, N_EVENTS))
    path = data / FROZEN_SETS[name].folder / EVENTS
    path.parent.mkdir(parents=True)
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["time", "lat", "lon", "type", "severity"])
        for day, (lat, lon) in zip(days.tolist(), places.tolist(), strict=True):
            moment = (START + timedelta(days=day)).replace(tzinfo=None)
            severity = f"{1.0 + rng.exponential(0.4):.2f}"
            rows.writerow(
                [moment.isoformat(timespec="seconds"), lat, lon, "made-up", severity]
            )
    return path
