"""What benchmarks of the domain make for themselves, and take away again."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import h3.api.basic_int as h3
import numpy as np
from django.utils import timezone

from riskplatform.api.keys.models import Organisation
from scoring.arrays import ForecastColumns, pack_columns, pack_scenarios
from scoring.engine import workloads
from scoring.engine.distributions import distribution_of
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
from scoring.services.assessments.inputs import forget_inputs
from scoring.services.regions import RegionDefinition, define_region

N_CELLS = 1_000
N_SCENARIOS = 10_000
SEED = 1
ISSUED_FOR = datetime(2024, 1, 1, tzinfo=UTC)
DAY_S = 86_400
CURVES = ([[0.0, 0.0], [1.0, 0.4]], [[0.0, 0.1], [1.0, 0.8]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a suite made: an organisation, a forecast, and curves."""

    organisation: Organisation
    region: Region
    curves: list[Vulnerability]


@contextmanager
def own_place() -> Generator[Place]:
    """Make an organisation and a region, and take away all that came to be there."""
    slug = f"benchmark-{timezone.now():%Y%m%d%H%M%S%f}"
    organisation = Organisation.objects.create(slug=slug, name="Benchmark")
    grid = workloads.compact_grid(N_CELLS)
    region = define_region(
        RegionDefinition(
            slug=slug,
            name="Benchmark",
            timezone="UTC",
            resolution=workloads.RESOLUTION,
        ),
        cells=grid.cells.tolist(),
    )
    try:
        curves = [
            Vulnerability.objects.create(
                organisation=organisation, slug=f"c{row}", name="Curve", points=points
            )
            for row, points in enumerate(CURVES)
        ]
        yield Place(organisation=organisation, region=region, curves=curves)
    finally:
        forget_inputs()
        Asset.objects.filter(portfolio__organisation=organisation).delete()
        organisation.delete()
        Forecast.objects.filter(region=region).delete()
        region.delete()


def publish(region: Region, days: int) -> Forecast:
    """Publish a forecast of clustered events, past the services."""
    grid = workloads.compact_grid(N_CELLS)
    process = workloads.clustered_process(grid, n_steps=days)
    scenarios = workloads.draw_scenarios(process, n_scenarios=N_SCENARIOS)
    counts = np.bincount(scenarios.cell_index, minlength=len(grid))
    mean = counts / N_SCENARIOS
    columns = ForecastColumns.of(grid.cells, distribution_of(mean, 2.0))
    version, _ = ModelVersion.objects.get_or_create(
        region=region,
        number=1,
        defaults={
            "kind": "benchmark",
            "state": ModelVersion.State.CHAMPION,
            "trained_from": ISSUED_FOR,
            "trained_until": ISSUED_FOR,
            "event_count": 0,
        },
    )
    forecast = Forecast.objects.create(
        region=region,
        model_version=version,
        issued_for=ISSUED_FOR,
        horizon_sec=days * DAY_S,
        event_count=0,
        cell_count=len(grid),
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
    cells = rng.choice(workloads.compact_grid(N_CELLS).cells, n_assets).tolist()
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
