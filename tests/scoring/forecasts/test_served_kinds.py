"""Every model family is fitted, published and served; its totals fit the record."""

from dataclasses import MISSING, fields
from datetime import timedelta

import numpy as np
import pytest
from django.test import Client

from scoring.engine.aggregates import CellAggregates
from scoring.engine.models.registry import KINDS
from scoring.engine.snapshots import RecentEvents, Snapshot, walk_snapshots
from scoring.models import Forecast, Region
from scoring.selectors.events import load_history, load_snapshot
from scoring.selectors.forecasts import get_scenarios
from scoring.selectors.regions import grid_of_region
from scoring.services.forecasts.publishing import load_forecaster, publish_version
from scoring.services.registry.promotion import promote
from scoring.services.registry.training import TrainingPlan, train_model_version
from tests.support.factories import DAY_S, make_region
from tests.support.random_events import DAYS, START, store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
EVENTS_PER_DAY = 8


@pytest.fixture
def region() -> Region:
    region = make_region(rings=2)
    store_random_events(region, count=EVENTS_PER_DAY * DAYS)
    return region


def fit_and_serve(region: Region, kind: str) -> Forecast:
    grid = grid_of_region(region)
    until = START + timedelta(days=DAYS)
    plan = TrainingPlan(grid=grid, until=until, horizons_sec=(DAY_S,), kind=kind)
    version = train_model_version(region, plan=plan, progress=lambda _: None).version
    (forecast,) = publish_version(version, grid=grid, issued_for=until)
    promote(version, actor="test")
    return forecast


def in_the_engine(region: Region, *, days: float, from_day: float = 0) -> Snapshot:
    """Take the snapshot that a back-test takes."""
    grid = grid_of_region(region)
    history = load_history(
        region,
        grid,
        since=START + timedelta(days=from_day),
        until=START + timedelta(days=DAYS + 1),
    )
    instant_s = (START + timedelta(days=days)).timestamp()
    return next(walk_snapshots(history, grid, [instant_s], timezone=region.timezone))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_served_with_the_forecast_of_the_engine_and_the_total_of_the_record(
    kind: str, region: Region, stranger: Client
) -> None:
    forecast = fit_and_serve(region, kind)
    forecaster = load_forecaster(forecast.model_version, DAY_S)
    expected = forecaster.distribution_at(in_the_engine(region, days=DAYS))

    on_map = stranger.get("/api/v1/risk-map", {"region": region.slug}).json()
    assert forecast.expected_count == pytest.approx(expected.mean.sum(), rel=1e-6)
    assert forecast.expected_count == pytest.approx(EVENTS_PER_DAY, rel=0.4)
    simulated = get_scenarios(forecast)
    assert simulated.scenario.size / simulated.n_scenarios == pytest.approx(
        forecast.expected_count, rel=0.05
    )
    rows = sorted(on_map["aggregated"], key=lambda row: row["cell_id"])
    np.testing.assert_allclose(
        [row["p_event"] for row in rows], expected.p_event, rtol=1e-6
    )
    question = {
        "time": forecast.issued_for.isoformat(),
        "horizon_sec": DAY_S,
        "cells": [{"cell_id": row["cell_id"]} for row in rows],
    }
    zones = stranger.post(
        "/api/v1/score-snapshot", question, content_type="application/json"
    ).json()["zones"]
    assert [zone["distribution_params"]["p_event"] for zone in zones] == [
        row["p_event"] for row in rows
    ]


@pytest.mark.parametrize("transform", Region.SeverityTransform.values)
@pytest.mark.parametrize(("days", "from_day"), [(150.5, 0), (DAYS + 300, 0), (90, 40)])
def test_the_service_takes_the_snapshot_that_a_back_test_takes(
    transform: str, days: float, from_day: float
) -> None:
    region = make_region()
    region.severity_transform = transform
    store_random_events(region, with_severity=True)
    # An event in a cell that the region has not (yet) begins no record.
    region.cells.filter(pk=region.cells.order_by("h3")[0].pk).delete()
    served = load_snapshot(
        region,
        grid_of_region(region),
        instant=START + timedelta(days=days),
        since=START + timedelta(days=from_day),
    )
    tested = in_the_engine(region, days=days, from_day=from_day)
    assert served.recent.age_s.size
    for part in ("aggregates", "recent"):
        for field in fields(getattr(tested, part)):
            np.testing.assert_allclose(
                getattr(getattr(served, part), field.name),
                getattr(getattr(tested, part), field.name),
                rtol=1e-9,
                err_msg=field.name,
            )
    np.testing.assert_allclose(served.features, tested.features, rtol=1e-6, atol=1e-9)
    assert (served.instant_s, served.timezone) == (tested.instant_s, tested.timezone)


def test_a_snapshot_without_one_of_its_fields_cannot_be_made() -> None:
    required = {field.name for field in fields(Snapshot) if field.default is MISSING}
    assert required == {field.name for field in fields(Snapshot)}
    assert all(
        field.default_factory is MISSING
        for kind in (Snapshot, RecentEvents, CellAggregates)
        for field in fields(kind)
    )
