"""What the users of a load test send: reads of a city, new assessments, events."""

from collections.abc import Generator
from contextlib import contextmanager

import h3.api.numpy_int as h3
import orjson

from analytics.bench.ingest import take_events_away
from perf.bench.client import WebRequest
from perf.bench.load_tests.generator import PlannedRequest, Requests
from perf.bench.load_tests.workload import register_workload
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.services import issue_key
from scoring.bench.city import BenchmarkCity, draw_mix, own_city, variants_of
from scoring.horizons import DAY_S
from scoring.models import Portfolio

READS = 500
EVENTS = 100
# What a successful answer to a read has in it, by the first part of its path.
HOLDS = {
    "assess": "expected_loss",
    "risk-map": "aggregated",
    "score-snapshot": "zones",
    "dashboard": "portfolio_id",
    "metrics": "region",
}


@register_workload
@contextmanager
def city_under_load() -> Generator[Requests]:
    """Make a city and what is sent to it; take it and the events away again."""
    with own_city() as city:
        try:
            yield requests_of(city)
        finally:
            place = city.place
            take_events_away(place.organisation, region=place.region.slug)


def requests_of(city: BenchmarkCity) -> Requests:
    return {
        "read": [_planned(read) for read in draw_mix(variants_of(city), READS)],
        "new": [_new_assessment(city, portfolio) for portfolio in city.portfolios],
        "events": [_events(city)],
    }


def _planned(request: WebRequest) -> PlannedRequest:
    kind = request.path.removeprefix("/api/v1/").partition("?")[0].partition("/")[0]
    is_drawn = "format=geojson" in request.path
    return PlannedRequest(
        name=kind,
        method=request.method,
        path=request.path,
        headers=dict(request.headers),
        body=request.body.decode() if request.body else None,
        holds="features" if is_drawn else HOLDS[kind],
    )


def _new_assessment(city: BenchmarkCity, portfolio: Portfolio) -> PlannedRequest:
    sent = city.assess(portfolio, DAY_S, [0.5, 0.995])
    body = sent.body.decode().replace("[0.5,", "[@QUANTILE@,")
    return PlannedRequest(
        name="assess, new quantiles",
        method=sent.method,
        path=sent.path,
        headers=dict(sent.headers),
        body=body,
        holds=HOLDS["assess"],
    )


def _events(city: BenchmarkCity) -> PlannedRequest:
    place = city.place
    issued = issue_key(place.organisation, name="load", scopes=[Scope.EVENTS_WRITE])
    rows = []
    for row in range(EVENTS):
        lat, lon = h3.cell_to_latlng(place.grid.cells[row % len(place.grid.cells)])
        rows.append(
            {
                "external_id": f"@RUN@-@NUMBER@-{row}",
                "occurred_at": "@NOW@",
                "lat": round(lat, 6),
                "lon": round(lon, 6),
            }
        )
    return PlannedRequest(
        name=f"{EVENTS} events",
        method="POST",
        path=f"/api/v1/events?region={place.region.slug}&source=load",
        headers={
            "Authorization": f"Bearer {issued.text.text}",
            "Content-Type": "application/json",
        },
        body=orjson.dumps(rows).decode(),
        holds=f'"accepted":{EVENTS}',
    )
