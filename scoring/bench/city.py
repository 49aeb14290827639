"""A city for requests over HTTP, and what many users request there at once.

Few requests come often, many seldom: within each kind of request the second most
frequent one comes half as often as the first, the third a third as often (Zipf).
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any
from urllib.parse import urlencode

import h3.api.numpy_int as h3
import numpy as np
import orjson
from django.utils import timezone

from perf.bench.client import WebRequest
from perf.bench.runner import is_quick_run
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.services import issue_key
from scoring.bench.place import (
    SEED,
    Place,
    draw,
    make_portfolio,
    own_events,
    own_place,
    publish,
)
from scoring.horizons import DAY_S, SERVED_HORIZONS_SEC
from scoring.models import Forecast, Portfolio

# Shares of all requests, in percent.
SHARES = {
    "assess": 45,
    "risk map": 35,
    "score snapshot": 10,
    "dashboard": 7,
    "metrics": 3,
}
QUANTILES = ((0.9, 0.95, 0.99), (0.5, 0.9), (0.995,))
TIMEFRAMES = ("24h", "7d", "30d")
SNAPSHOTS = 10
SNAPSHOT_CELLS = 20
SNAPSHOT_SCENARIOS = 50
# In degrees around the middle: what a map shows when somebody zooms in.
BOX_SIZES = (0.02, 0.04, 0.08)
BOX_CENTRES = ((0.0, 0.0), (0.05, 0.05), (-0.05, 0.05), (0.05, -0.05), (-0.05, -0.05))
DASHBOARD_NOW = frozenset({"since", "until"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CitySize:
    n_cells: int
    n_scenarios: int
    n_portfolios: int
    n_assets: int
    n_events: int


FULL = CitySize(
    n_cells=1_500, n_scenarios=10_000, n_portfolios=20, n_assets=500, n_events=50_000
)
# Enough to see it work.
SMALL = CitySize(
    n_cells=200, n_scenarios=500, n_portfolios=3, n_assets=50, n_events=1_000
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkCity:
    """A place with the forecasts of yesterday, and the requests of a client of it."""

    place: Place
    now: datetime
    forecast: Forecast
    portfolios: Sequence[Portfolio]
    key: str = field(repr=False)

    def assess(
        self, portfolio: Portfolio, horizon_sec: int, quantiles: Sequence[float]
    ) -> WebRequest:
        body = {"horizon_sec": horizon_sec, "quantiles": quantiles}
        return self._request(f"assess/{portfolio.pk}", body=body)

    def of_region(self, path: str, **query: str | int) -> WebRequest:
        return self._request(path, {"region": self.place.region.slug, **query})

    def portfolio_list(self, *, limit: int) -> WebRequest:
        return self._request("portfolios", {"limit": limit})

    def snapshot(
        self,
        cells: Sequence[int],
        features: Sequence[Mapping[str, float]] | None = None,
    ) -> WebRequest:
        given: Sequence[Mapping[str, float] | None] = features or [None] * len(cells)
        body = {
            "time": self.forecast.issued_for + timedelta(hours=1),
            "horizon_sec": DAY_S,
            "region": self.place.region.slug,
            "cells": [
                {"cell_id": cell, **({"features": own} if own else {})}
                for cell, own in zip(cells, given, strict=True)
            ],
            "n_scenarios": SNAPSHOT_SCENARIOS,
        }
        return self._request("score-snapshot", body=body)

    def dashboard(self, portfolio: Portfolio, **query: str) -> WebRequest:
        """Without a time the end of the timeframe is now, and the response says so."""
        request = self._request(f"dashboard/{portfolio.pk}", query)
        return request if "time" in query else replace(request, tells_now=DASHBOARD_NOW)

    def _request(
        self,
        path: str,
        query: Mapping[str, str | int] | None = None,
        body: dict[str, Any] | None = None,
    ) -> WebRequest:
        """Ask as a client that accepts gzip; with a body it is a POST."""
        headers = {"Authorization": f"Bearer {self.key}", "Accept-Encoding": "gzip"}
        path = f"/api/v1/{path}"
        if body is None:
            return WebRequest(path=f"{path}?{urlencode(query or {})}", headers=headers)
        headers["Content-Type"] = "application/json"
        sent = orjson.dumps(body)
        return WebRequest(path=path, method="POST", headers=headers, body=sent)


@contextmanager
def own_city() -> Generator[BenchmarkCity]:
    """Make a city, small in a quick run, and take it away again."""
    size = SMALL if is_quick_run() else FULL
    now = timezone.now()
    yesterday = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    with (
        own_place(n_cells=size.n_cells) as place,
        own_events(place, count=size.n_events, until=now),
    ):
        day, _week = (
            publish(place, days, size.n_scenarios, issued_for=yesterday)
            for days in (1, 7)
        )
        issued = issue_key(
            place.organisation,
            name="benchmark",
            scopes=[Scope.SCORES_READ, Scope.PORTFOLIOS_READ],
        )
        portfolios = [
            make_portfolio(place, f"p{number}", size.n_assets, has_terms=True)
            for number in range(size.n_portfolios)
        ]
        yield BenchmarkCity(
            place=place,
            now=now,
            forecast=day,
            portfolios=portfolios,
            key=issued.text.text,
        )


def variants_of(city: BenchmarkCity) -> dict[str, list[WebRequest]]:
    """List the different requests of each kind, the most frequent first."""
    return {
        "assess": [
            city.assess(portfolio, horizon_sec, quantiles)
            for quantiles, horizon_sec, portfolio in product(
                QUANTILES, SERVED_HORIZONS_SEC, city.portfolios
            )
        ],
        "risk map": _risk_maps(city),
        "score snapshot": _snapshots(city),
        "dashboard": [
            city.dashboard(portfolio, timeframe=timeframe)
            for timeframe, portfolio in product(TIMEFRAMES, city.portfolios)
        ],
        "metrics": [city.of_region("metrics", limit=limit) for limit in (168, 24)],
    }


def draw_mix(variants: dict[str, list[WebRequest]], count: int) -> list[WebRequest]:
    """Draw requests of all kinds by their shares, in random order."""
    drawn = [
        request
        for kind, share in SHARES.items()
        for request in draw(variants[kind], count * share // 100)
    ]
    order = np.random.default_rng(SEED).permutation(len(drawn))
    return [drawn[index] for index in order.tolist()]


def _risk_maps(city: BenchmarkCity) -> list[WebRequest]:
    whole = [
        city.of_region("risk-map", horizon_sec=horizon, format=form)
        for form, horizon in product(("json", "geojson"), SERVED_HORIZONS_SEC)
    ]
    lat, lon = h3.cell_to_latlng(city.place.grid.cells[0])
    boxes = [
        _box(lat + up, lon + right, size)
        for size, (up, right) in product(BOX_SIZES, BOX_CENTRES)
    ]
    parts = [city.of_region("risk-map", horizon_sec=DAY_S, bbox=box) for box in boxes]
    return [*whole, *parts]


def _box(lat: float, lon: float, size: float) -> str:
    edges = (lon - size, lat - size, lon + size, lat + size)
    return ",".join(f"{edge:.4f}" for edge in edges)


def _snapshots(city: BenchmarkCity) -> list[WebRequest]:
    rng = np.random.default_rng(SEED)
    cells = city.place.grid.cells
    count = min(SNAPSHOT_CELLS, len(cells))
    return [
        city.snapshot(rng.choice(cells, count, replace=False).tolist())
        for _ in range(SNAPSHOTS)
    ]
