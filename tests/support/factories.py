"""Typed makers of test data; what a test does not name has a plain default."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import h3.api.basic_int as h3
import numpy as np
from django.test import Client

from riskplatform.api.keys.models import Organisation, Scope
from riskplatform.api.keys.services import issue_key
from scoring.arrays import ForecastColumns, pack_columns, pack_scenarios
from scoring.engine.distributions import distribution_of
from scoring.engine.simulation import ScenarioSet
from scoring.models import (
    Alert,
    AlertRule,
    Asset,
    Forecast,
    ForecastArrays,
    ModelVersion,
    Portfolio,
    Region,
    Vulnerability,
)
from scoring.services.portfolios.portfolios import create_asset, create_portfolio
from scoring.services.regions import define_region

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
    slug: str = "chicago",
    *,
    is_public: bool = True,
    owner: Organisation | None = None,
    rings: int = 3,
) -> Region:
    cells = h3.grid_disk(h3.latlng_to_cell(*CENTRE, RESOLUTION), rings)
    definition = Region(
        slug=slug,
        name=slug.title(),
        timezone="America/Chicago",
        resolution=RESOLUTION,
        owner=owner,
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
    risk = distribution_of(mean, np.full(cells.size, 0.5), 0.2)
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


def make_alert(rule: AlertRule, forecast: Forecast, **columns: Any) -> Alert:
    """Open an alert of a rule on one forecast."""
    values = {
        "rule": rule,
        "severity": rule.severity,
        "first_forecast": forecast,
        "last_forecast": forecast,
        "first_issued_for": forecast.issued_for,
        "first_valid_until": forecast.valid_until,
        "valid_until": forecast.valid_until,
        "cells": [1],
        "first_cells": [1],
        "value": 0.6,
        "lat": 0.0,
        "lon": 0.0,
        "opened_at": ISSUED_FOR,
        "last_seen_at": ISSUED_FOR,
    }
    return Alert.objects.create(**values | columns)


def make_organisation(slug: str = "acme") -> Organisation:
    return Organisation.objects.get_or_create(
        slug=slug, defaults={"name": slug.title()}
    )[0]


def make_client(
    organisation: Organisation, *, scopes: Sequence[str] = tuple(Scope.values)
) -> Client:
    """Give a client that shows a key of the organisation with every request."""
    issued = issue_key(organisation, name="test", scopes=scopes)
    return Client(headers={"Authorization": f"Bearer {issued.text.text}"})


def make_portfolio(
    organisation: Organisation | None = None,
    *,
    name: str = "Shops",
    currency: str = "USD",
    n_assets: int = 0,
    value: str = "1000.00",
) -> Portfolio:
    """Make a portfolio with assets in the first cells of `make_region`, outwards."""
    portfolio = create_portfolio(
        organisation or make_organisation(), name=name, currency=currency
    )
    cells = h3.grid_disk(h3.latlng_to_cell(*CENTRE, RESOLUTION), 10)
    for number in range(n_assets):
        lat, lon = h3.cell_to_latlng(cells[number % len(cells)])
        make_asset(portfolio, f"a-{number}", lat=lat, lon=lon, value=value)
    portfolio.refresh_from_db()
    return portfolio


def make_asset(
    portfolio: Portfolio,
    reference: str = "a-0",
    *,
    lat: float = CENTRE[0],
    lon: float = CENTRE[1],
    value: str = "1000.00",
    **columns: Any,
) -> Asset:
    """Add an asset by the service, so that it has its places."""
    values = {"reference": reference, "lat": lat, "lon": lon, "value": Decimal(value)}
    return create_asset(portfolio, values=values | columns)


def make_vulnerability(
    organisation: Organisation | None = None,
    *,
    slug: str = "brick",
    points: Sequence[tuple[float, float]] = ((0.0, 0.0), (10.0, 1.0)),
) -> Vulnerability:
    return Vulnerability.objects.create(
        organisation=organisation,
        slug=slug,
        name=slug.title(),
        points=[list(point) for point in points],
    )
