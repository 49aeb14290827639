"""Made-up events for machines without a package registry; always labelled so."""

from datetime import UTC, datetime, timedelta

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from scoring.demo.datasets import Dataset

SEED = 20_240_101
START = datetime(2022, 1, 1, tzinfo=UTC)
DAYS = 730.0
CENTRE = (41.85, -87.68)
RESOLUTION = 8
RINGS = 14
N_BACKGROUND = 2_600
# Each event has on average this many followers, so a third of them are triggered.
BRANCHING_RATIO = 0.33
TRIGGER_DAYS = 6.0
TRIGGER_DEGREES = 0.004


def make_synthetic_events() -> Dataset:
    """Draw a self-exciting process on lasting hot spots; always the same events."""
    rng = np.random.default_rng(SEED)
    cells = np.array(
        sorted(h3.grid_disk(h3.latlng_to_cell(*CENTRE, RESOLUTION), RINGS))
    )
    parents = _background(rng, cells)
    generations = [parents]
    while generations[-1].size:
        generations.append(_followers(rng, generations[-1]))
    events = np.concatenate(generations)
    events = events[(events[:, 0] < DAYS)]
    events = events[np.argsort(events[:, 0])]
    occurred_at = [START + timedelta(minutes=round(d * 1_440)) for d in events[:, 0]]
    return Dataset(
        slug="synthetic",
        name="Synthetic events (made up)",
        timezone="America/Chicago",
        resolution=RESOLUTION,
        source="synthetic",
        event_type="synthetic",
        credit="Made-up events: no real place or person is described",
        url="",
        observed_since=START,
        occurred_at=occurred_at,
        lat=events[:, 1],
        lon=events[:, 2],
        cells=frozenset(cells.tolist()),
        boundary=None,
    )


def _background(
    rng: np.random.Generator, cells: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Draw days, latitudes and longitudes, shape (n, 3), by lasting cell rates."""
    rates = rng.gamma(0.6, size=cells.size)
    chosen = rng.choice(cells, size=N_BACKGROUND, p=rates / rates.sum())
    places = np.array([h3.cell_to_latlng(cell) for cell in chosen.tolist()])
    places += rng.normal(scale=0.001, size=places.shape)
    days = rng.uniform(0, DAYS, size=N_BACKGROUND)
    return np.column_stack((days, places))


def _followers(
    rng: np.random.Generator, parents: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Draw the events that `parents` trigger, later and close by."""
    followers = np.repeat(
        parents, rng.poisson(BRANCHING_RATIO, size=len(parents)), axis=0
    )
    followers[:, 0] += rng.exponential(TRIGGER_DAYS, size=len(followers))
    followers[:, 1:] += rng.normal(scale=TRIGGER_DEGREES, size=(len(followers), 2))
    return followers
