"""As much as one organisation may store, for tests of what reading it costs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import h3.api.basic_int as h3
import numpy as np

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from perf.jobs.models import Job
from riskplatform.api.keys.models import Organisation, Scope
from riskplatform.api.keys.services import issue_key
from scoring.models import AlertRule, Portfolio, Region
from scoring.selectors.regions import get_region_grid
from scoring.services.portfolios.asset_import import ImportOptions, import_assets
from tests.support.factories import (
    CENTRE,
    DAY_S,
    make_forecast,
    make_organisation,
    make_portfolio,
    make_region,
)
from tests.support.forecasts_with_events import make_forecast_with_events

# Rings of cells around the centre: 19,927 cells, where features end, and 40,021.
LARGE_RINGS = 81
WIDE_RINGS = 115
# Each is as large as the schema lets it be, and there are as many as time allows.
N_RULES = 80
N_JOBS = 80
N_JOB_RESULTS = 5_000
N_PORTFOLIOS = 50
N_ASSETS = (20_000, 200)
# An event has up to a hundred attributes of 10,000 characters, a body line 1 MiB.
N_HEAVY_EVENTS = 100
HEAVY_ATTRIBUTES = {f"name-{number}": "x" * 10_000 for number in range(100)}
N_TYPED_EVENTS = 80_000
EVENTS_FROM = datetime(2024, 1, 1, tzinfo=UTC)
EVENTS_OVER = timedelta(days=90)


def fill() -> dict[str, Any]:
    """Fill an empty platform; give what tests need to know of it."""
    large = make_region("large", rings=LARGE_RINGS)
    make_forecast_with_events(large)
    make_forecast(make_region("wide", rings=WIDE_RINGS))
    organisation = make_organisation()
    key = issue_key(organisation, name="attacker", scopes=list(Scope.values))
    cells = sorted(large.cells.values_list("h3", flat=True))
    make_rules(organisation, large, cells)
    make_jobs(organisation)
    make_heavy_events(large)
    make_typed_events(make_region("typed"))
    portfolios = [
        make_assets(
            make_portfolio(organisation, name=f"P{number}"),
            cells,
            count=N_ASSETS[number > 0],
        )
        for number in range(N_PORTFOLIOS)
    ]
    return {"key": key.text.text, "cells": cells, "portfolios": portfolios}


def make_rules(organisation: Organisation, region: Region, cells: list[int]) -> None:
    """Store rules that each watch every cell."""
    AlertRule.objects.bulk_create(
        [
            AlertRule(
                organisation=organisation,
                name=f"Rule {number}",
                region=region,
                cells=cells,
                horizon_sec=DAY_S,
                metric=AlertRule.Metric.P_EVENT,
                threshold=2.0,
            )
            for number in range(N_RULES)
        ],
        batch_size=50,
    )


def make_jobs(organisation: Organisation) -> None:
    """Store jobs as batches of portfolios leave them behind."""
    result = {
        "portfolio_id": f"{1:036d}",
        "assessment_id": f"{2:036d}",
        "problem": None,
    }
    Job.objects.bulk_create(
        [
            Job(
                organisation=organisation,
                kind="assess-portfolios",
                state=Job.State.SUCCEEDED,
                result={"results": [result] * N_JOB_RESULTS},
            )
            for _ in range(N_JOBS)
        ],
        batch_size=50,
    )


def make_heavy_events(region: Region) -> None:
    """Store events with as many attributes, as long, as an event may have."""
    moments = _moments(N_HEAVY_EVENTS)
    for part in np.array_split(np.arange(N_HEAVY_EVENTS), 6):
        _store(
            region,
            EventColumns(
                occurred_ms=moments[part],
                lat=np.full(part.size, CENTRE[0]),
                lon=np.full(part.size, CENTRE[1]),
                external_id=[f"heavy-{number}" for number in part.tolist()],
                attributes=[HEAVY_ATTRIBUTES] * part.size,
            ),
        )


def make_typed_events(region: Region) -> None:
    """Store events of which hardly two have one type and hour."""
    _store(
        region,
        EventColumns(
            occurred_ms=_moments(N_TYPED_EVENTS),
            lat=np.full(N_TYPED_EVENTS, CENTRE[0]),
            lon=np.full(N_TYPED_EVENTS, CENTRE[1]),
            external_id=[f"typed-{number}" for number in range(N_TYPED_EVENTS)],
            event_type=[f"type-{number % 5_000}" for number in range(N_TYPED_EVENTS)],
        ),
    )


def make_assets(portfolio: Portfolio, cells: list[int], *, count: int) -> str:
    """Spread assets over all cells."""
    rng = np.random.default_rng(portfolio.pk.int % 2**32)
    lines = ["id,lat,lon,value"]
    for number, cell in enumerate(rng.choice(cells, size=count).tolist()):
        lat, lon = h3.cell_to_latlng(cell)
        lines.append(f"a-{number},{lat:.6f},{lon:.6f},1000")
    body = "\n".join(lines).encode()
    import_assets(portfolio, [body], options=ImportOptions())
    return str(portfolio.pk)


def _moments(count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    start_ms = int(EVENTS_FROM.timestamp() * 1_000)
    step_ms = int(EVENTS_OVER.total_seconds() * 1_000) // count
    return start_ms + step_ms * np.arange(count, dtype=np.int64)


def _store(region: Region, events: EventColumns) -> None:
    store_events(
        events,
        grid=get_region_grid(region),
        source="attack",
        now=EVENTS_FROM + 2 * EVENTS_OVER,
    )
