"""The main job on a published data set: events in, served forecasts out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils import timezone

from analytics.ingest.events import EventColumns
from analytics.ingest.storage import store_events
from riskplatform.api.keys.models import Organisation
from scoring.cell_ids import hex_of
from scoring.demo.datasets import Dataset
from scoring.horizons import SERVED_KIND
from scoring.models import Forecast, Region
from scoring.selectors.forecasts import get_columns, riskiest_first
from scoring.selectors.regions import get_region_grid
from scoring.services.regions import define_region
from scoring.services.registry.fitting import (
    FittedRegion,
    fit_model,
)

TOP_CELLS = 10

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    region: Region
    rejected_count: int
    fitted: FittedRegion
    cities: dict[str, Any] | None = None

    def as_dict(self, *, url: str) -> dict[str, Any]:
        """Give the report as JSON; `top_cells` are those of the shortest horizon."""
        fitted = self.fitted
        return {
            "region": self.region.slug,
            "name": self.region.name,
            "source": self.region.source_credit,
            "events": fitted.event_count,
            "rejected": self.rejected_count,
            "cells": len(fitted.grid),
            "model_version": str(fitted.model_version),
            "fit_seconds": round(fitted.fit_seconds, 3),
            "forecast_seconds": round(fitted.forecast_seconds, 3),
            "top_cells": top_cells(fitted.forecasts[0]),
            "forecasts": [
                {
                    "horizon_sec": forecast.horizon_sec,
                    "issued_for": forecast.issued_for.isoformat(),
                    "expected_count": round(forecast.expected_count, 2),
                    "top_cells": top_cells(forecast),
                }
                for forecast in fitted.forecasts
            ],
            "backtest": {
                horizon: backtest_figures(report)
                for horizon, report in fitted.model_version.skill.items()
                if report is not None
            },
            "url": url,
            **({} if self.cities is None else {"portfolio": self.cities}),
        }


def load_demo(
    dataset: Dataset,
    *,
    owner: Organisation | None = None,
    kind: str = SERVED_KIND,
    progress: Progress = lambda _: None,
) -> DemoReport:
    """Load a data set, fit on it and forecast; events already there stay single."""
    progress(f"Defining region {dataset.slug!r}: {len(dataset.cells)} cells")
    defined = Region(
        slug=dataset.slug,
        name=dataset.name,
        timezone=dataset.timezone,
        resolution=dataset.resolution,
        owner=owner,
        is_public=True,
        source_credit=dataset.credit,
        source_url=dataset.url,
        observed_since=dataset.observed_since,
        boundary=dataset.boundary,
    )
    region = define_region(defined, cells=dataset.cells)
    progress(f"Storing {len(dataset.occurred_at)} events")
    outcome = store_events(
        _events(dataset),
        grid=get_region_grid(region),
        source=dataset.source,
        now=timezone.now(),
    )
    return DemoReport(
        region=region,
        rejected_count=outcome.retracted.size,
        fitted=fit_model(
            region,
            kind=kind,
            forced_because="The demo shows what it has fitted.",
            progress=progress,
        ),
    )


def top_cells(forecast: Forecast) -> list[dict[str, Any]]:
    """Give the cells most likely to see an event, with their 90 % interval."""
    top = riskiest_first(get_columns(forecast), limit=TOP_CELLS)
    rows = zip(top.cells, top.p_event, top.q05, top.q95, strict=True)
    return [
        {
            "cell_id": str(cell),
            "cell_hex": hex_of(int(cell)),
            "p_event": float(p_event),
            "q05": float(q05),
            "q95": float(q95),
        }
        for cell, p_event, q05, q95 in rows
    ]


def backtest_figures(report: dict[str, Any]) -> dict[str, Any]:
    """Pick the figures that are shown; gains are in nats an event, higher is better."""
    tested, baseline = report["models"][:2]
    gain = report["information_gain"][baseline["kind"]]
    return {
        "baseline": baseline["kind"],
        "origins": report["n_origins"],
        "events": report["n_events"],
        "hit_rate_5": tested["hit_rate"]["0.05"],
        "baseline_hit_rate_5": baseline["hit_rate"]["0.05"],
        "information_gain": gain["value"],
        "information_gain_interval": [gain["low"], gain["high"]],
    }


def _events(dataset: Dataset) -> EventColumns:
    occurred_ms = [1_000 * moment.timestamp() for moment in dataset.occurred_at]
    return EventColumns(
        occurred_ms=np.array(occurred_ms, dtype=np.int64),
        lat=dataset.lat,
        lon=dataset.lon,
        event_type=dataset.event_type,
        severity=dataset.severity,
    )
