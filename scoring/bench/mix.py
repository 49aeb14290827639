"""What many users request at once: few requests often, many seldom.

Within each kind of request the second most frequent one comes half as often as the
first, the third a third as often, and so on (Zipf).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from typing import Any
from urllib.parse import urlencode

import h3.api.numpy_int as h3
import numpy as np
import orjson

from perf.bench.client import WebRequest
from scoring.bench.place import SEED, Place
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
class Questions:
    """Requests of a client of the place, which accepts gzip."""

    place: Place
    forecast: Forecast
    portfolios: Sequence[Portfolio]
    key: str = field(repr=False)

    def assess(
        self, portfolio: Portfolio, *, horizon_sec: int, quantiles: Sequence[float]
    ) -> WebRequest:
        body = {"horizon_sec": horizon_sec, "quantiles": quantiles}
        return self._post(f"assess/{portfolio.pk}", body)

    def risk_map(self, **query: str | int) -> WebRequest:
        return self._get("risk-map", {"region": self.place.region.slug, **query})

    def snapshot(self, cells: Sequence[int]) -> WebRequest:
        body = {
            "time": self.forecast.issued_for + timedelta(hours=1),
            "horizon_sec": DAY_S,
            "region": self.place.region.slug,
            "cells": [{"cell_id": cell} for cell in cells],
            "n_scenarios": SNAPSHOT_SCENARIOS,
        }
        return self._post("score-snapshot", body)

    def dashboard(self, portfolio: Portfolio, **query: str) -> WebRequest:
        """Without a time the end of the timeframe is now, and the answer says so."""
        tells_now = frozenset() if "time" in query else DASHBOARD_NOW
        return self._get(f"dashboard/{portfolio.pk}", query, tells_now=tells_now)

    def metrics(self, **query: str | int) -> WebRequest:
        return self._get("metrics", {"region": self.place.region.slug, **query})

    def _get(
        self,
        path: str,
        query: Mapping[str, str | int],
        *,
        tells_now: frozenset[str] = frozenset(),
    ) -> WebRequest:
        return WebRequest(
            path=f"/api/v1/{path}?{urlencode(query)}",
            headers=self._headers(),
            tells_now=tells_now,
        )

    def _post(self, path: str, body: dict[str, Any]) -> WebRequest:
        return WebRequest(
            path=f"/api/v1/{path}",
            method="POST",
            headers={**self._headers(), "Content-Type": "application/json"},
            body=orjson.dumps(body),
        )

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "Accept-Encoding": "gzip"}


def variants_of(questions: Questions) -> dict[str, list[WebRequest]]:
    """List the different requests of each kind, the most frequent first."""
    return {
        "assess": [
            questions.assess(portfolio, horizon_sec=horizon, quantiles=quantiles)
            for quantiles, horizon, portfolio in product(
                QUANTILES, SERVED_HORIZONS_SEC, questions.portfolios
            )
        ],
        "risk map": _risk_maps(questions),
        "score snapshot": _snapshots(questions),
        "dashboard": [
            questions.dashboard(portfolio, timeframe=timeframe)
            for timeframe, portfolio in product(TIMEFRAMES, questions.portfolios)
        ],
        "metrics": [questions.metrics(limit=limit) for limit in (168, 24)],
    }


def draw(variants: Sequence[WebRequest], count: int) -> list[WebRequest]:
    """Draw requests of one kind, by Zipf's law."""
    wanted = 1.0 / np.arange(1, len(variants) + 1)
    rng = np.random.default_rng(SEED)
    chosen = rng.choice(len(variants), size=count, p=wanted / wanted.sum())
    return [variants[index] for index in chosen.tolist()]


def draw_mix(variants: dict[str, list[WebRequest]], count: int) -> list[WebRequest]:
    """Draw requests of all kinds by their shares, in random order."""
    drawn = [
        request
        for kind, share in SHARES.items()
        for request in draw(variants[kind], count * share // 100)
    ]
    order = np.random.default_rng(SEED).permutation(len(drawn))
    return [drawn[index] for index in order.tolist()]


def _risk_maps(questions: Questions) -> list[WebRequest]:
    whole = [
        questions.risk_map(horizon_sec=horizon, format=form)
        for form, horizon in product(("json", "geojson"), SERVED_HORIZONS_SEC)
    ]
    lat, lon = h3.cell_to_latlng(questions.place.grid.cells[0])
    boxes = [
        questions.risk_map(horizon_sec=DAY_S, bbox=_box(lat + up, lon + right, size))
        for size, (up, right) in product(BOX_SIZES, BOX_CENTRES)
    ]
    return [*whole, *boxes]


def _box(lat: float, lon: float, size: float) -> str:
    edges = (lon - size, lat - size, lon + size, lat + size)
    return ",".join(f"{edge:.4f}" for edge in edges)


def _snapshots(questions: Questions) -> list[WebRequest]:
    rng = np.random.default_rng(SEED)
    cells = questions.place.grid.cells
    count = min(SNAPSHOT_CELLS, len(cells))
    return [
        questions.snapshot(rng.choice(cells, count, replace=False).tolist())
        for _ in range(SNAPSHOTS)
    ]
