"""A place of its own for a benchmark: who owns it, its region, forecasts, portfolios.

All is written to the configured databases, and taken away afterwards.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import h3.api.basic_int as h3
import numpy as np
from django.utils import timezone

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from analytics.models import Event
from analytics.store.event_changes import changing_events
from riskplatform.api.keys.models import Organisation
from scoring.arrays import ForecastColumns, pack_columns, pack_scenarios
from scoring.engine import workloads
from scoring.engine.distributions import distribution_of
from scoring.engine.grid import Grid
from scoring.horizons import DAY_S
from scoring.models import (
    Asset,
    AssetPlace,
    Forecast,
    ForecastArrays,
    ModelVersion,
    Portfolio,
    Region,
    Vulnerability,
)
from scoring.selectors.assessment_inputs import forget_inputs
from scoring.selectors.regions import get_region_grid
from scoring.services.regions import define_region

SEED = 1
ISSUED_FOR = datetime(2024, 1, 1, tzinfo=UTC)
EVENT_DAYS = 60
CURVES = ([[0.0, 0.0], [1.0, 0.4]], [[0.0, 0.1], [1.0, 0.8]])


Drawn = TypeVar("Drawn")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """An organisation, a region on a grid, and curves."""

    organisation: Organisation
    region: Region
    grid: Grid
    curves: list[Vulnerability]


@contextmanager
def own_place(*, n_cells: int) -> Generator[Place]:
    slug = f"benchmark-{timezone.now():%Y%m%d%H%M%S%f}"
    organisation = Organisation.objects.create(slug=slug, name="Benchmark")
    grid = workloads.compact_grid(n_cells)
    region = Region(slug=slug, name="Benchmark", timezone="UTC", owner=organisation)
    region.resolution = workloads.RESOLUTION
    region = define_region(region, cells=grid.cells.tolist())
    try:
        curves = [
            Vulnerability.objects.create(
                organisation=organisation, slug=f"c{row}", name="Curve", points=points
            )
            for row, points in enumerate(CURVES)
        ]
        yield Place(organisation=organisation, region=region, grid=grid, curves=curves)
    finally:
        forget_inputs()
        Asset.objects.filter(portfolio__organisation=organisation).delete()
        Forecast.objects.filter(region=region).delete()
        region.delete()
        organisation.delete()


@contextmanager
def own_events(place: Place, *, count: int, until: datetime) -> Generator[None]:
    """Have events in the last weeks, in all cells of the region."""
    rng = np.random.default_rng(SEED)
    centres = np.array([h3.cell_to_latlng(cell) for cell in place.grid.cells.tolist()])
    chosen = centres[rng.integers(0, len(centres), count)]
    ago_s = rng.uniform(0, EVENT_DAYS * DAY_S, count)
    events = EventColumns(
        occurred_ms=(1_000 * (until.timestamp() - ago_s)).astype(np.int64),
        lat=chosen[:, 0],
        lon=chosen[:, 1],
        severity=rng.gamma(2.0, size=count),
    )
    grid = get_region_grid(place.region)
    try:
        store_events(events, grid=grid, source="benchmark", now=until)
        yield
    finally:
        with changing_events([place.region.slug]):
            Event.objects.filter(region=place.region.slug).delete()


def publish(
    place: Place, days: int, n_scenarios: int, *, issued_for: datetime = ISSUED_FOR
) -> Forecast:
    process = workloads.clustered_process(place.grid, n_steps=days)
    scenarios = workloads.draw_scenarios(process, n_scenarios=n_scenarios)
    counts = np.bincount(scenarios.cell_index, minlength=len(place.grid))
    mean = counts / n_scenarios
    columns = ForecastColumns.of(place.grid.cells, distribution_of(mean, 2.0, 0.2))
    version, _ = ModelVersion.objects.get_or_create(
        region=place.region,
        number=1,
        defaults={
            "kind": "benchmark",
            "state": ModelVersion.State.CHAMPION,
            "trained_from": issued_for - timedelta(days=EVENT_DAYS),
            "trained_until": issued_for,
            "event_count": 0,
        },
    )
    forecast = Forecast.objects.create(
        region=place.region,
        model_version=version,
        issued_for=issued_for,
        horizon_sec=days * DAY_S,
        event_count=0,
        cell_count=len(place.grid),
        expected_count=float(mean.sum()),
        region_alpha=0.05,
    )
    ForecastArrays.objects.create(
        forecast=forecast,
        body=pack_columns(columns),
        scenarios=pack_scenarios(scenarios),
    )
    return forecast


def make_portfolio(
    place: Place, name: str, n_assets: int, *, has_terms: bool = False
) -> Portfolio:
    """Make a portfolio all over the region, past the services: it is no import."""
    rng = np.random.default_rng(SEED)
    cells = rng.choice(place.grid.cells, n_assets).tolist()
    portfolio = Portfolio.objects.create(
        organisation=place.organisation, name=name, currency="USD"
    )
    curves = [None, *place.curves] if has_terms else [None]
    assets = Asset.objects.bulk_create(
        Asset(
            portfolio=portfolio,
            reference=f"a-{number}",
            lat=lat,
            lon=lon,
            value=Decimal(1_000 + number),
            deductible=Decimal(number % 7 if has_terms else 0),
            limit=Decimal(500 + number % 900) if has_terms else None,
            vulnerability=curves[number % len(curves)],
        )
        for number, (lat, lon) in enumerate(map(h3.cell_to_latlng, cells))
    )
    AssetPlace.objects.bulk_create(
        AssetPlace(asset=asset, region=place.region, h3=cell)
        for asset, cell in zip(assets, cells, strict=True)
    )
    return portfolio


def draw(
    variants: Sequence[Drawn], count: int, *, exponent: float = 1.0
) -> list[Drawn]:
    """Draw by Zipf's law: the first of them often, many seldom or never."""
    weight = np.arange(1, len(variants) + 1) ** -exponent
    rng = np.random.default_rng(SEED)
    chosen = rng.choice(len(variants), count, p=weight / weight.sum())
    return [variants[index] for index in chosen.tolist()]
