"""Typed makers of test data; what a test does not name has a plain default."""

from datetime import UTC, datetime

import h3.api.basic_int as h3
import numpy as np

from scoring.arrays import ForecastColumns, pack_columns, pack_scenarios
from scoring.engine.distributions import distribution_of
from scoring.engine.simulation import ScenarioSet
from scoring.models import Forecast, ForecastArrays, ModelVersion, Region
from scoring.services.regions import RegionDefinition, define_region

DAY_S = 86_400
CENTRE = (41.85, -87.68)
RESOLUTION = 8
NO_EVENTS = ScenarioSet(
    scenario=np.zeros(0, np.int32),
    step=np.zeros(0, np.int16),
    cell_index=np.zeros(0, np.int32),
    mark=np.zeros(0, np.float32),
    n_scenarios=1,
    n_steps=1,
    n_cells=1,
    step_s=1.0,
)
ISSUED_FOR = datetime(2024, 1, 1, tzinfo=UTC)


def make_region(
    slug: str = "chicago", *, is_public: bool = True, rings: int = 3
) -> Region:
    cells = h3.grid_disk(h3.latlng_to_cell(*CENTRE, RESOLUTION), rings)
    definition = RegionDefinition(
        slug=slug,
        name=slug.title(),
        timezone="America/Chicago",
        resolution=RESOLUTION,
        is_public=is_public,
        source_credit="Made for a test",
    )
    return define_region(definition, cells=cells)


def make_model_version(region: Region, *, number: int = 1) -> ModelVersion:
    return ModelVersion.objects.create(
        region=region,
        number=number,
        kind="poisson_glm",
        state=ModelVersion.State.CHAMPION
        if number == 1
        else ModelVersion.State.RETIRED,
        trained_from=datetime(2022, 1, 1, tzinfo=UTC),
        trained_until=ISSUED_FOR,
        event_count=1_000,
    )


def make_forecast(
    region: Region,
    *,
    model_version: ModelVersion | None = None,
    horizon_sec: int = DAY_S,
    issued_for: datetime = ISSUED_FOR,
    scale: float = 1.0,
) -> Forecast:
    """Publish a forecast whose mean falls from cell to cell, times `scale`."""
    version = model_version or ModelVersion.objects.filter(region=region).first()
    cells = np.array(sorted(region.cells.values_list("h3", flat=True)), dtype=np.uint64)
    mean = scale * np.geomspace(0.4, 0.001, cells.size)
    risk = distribution_of(mean, np.full(cells.size, 0.5))
    forecast = Forecast.objects.create(
        region=region,
        model_version=version or make_model_version(region),
        issued_for=issued_for,
        horizon_sec=horizon_sec,
        event_count=1_000,
        cell_count=cells.size,
        expected_count=float(mean.sum()),
        region_alpha=0.1,
    )
    ForecastArrays.objects.create(
        forecast=forecast,
        body=pack_columns(ForecastColumns.of(cells, risk)),
        scenarios=pack_scenarios(NO_EVENTS),
    )
    return forecast
