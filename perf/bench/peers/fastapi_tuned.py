"""FastAPI as somebody in need of speed writes it: msgspec in, orjson out, no models."""

from typing import Annotated, Any

import msgspec
import orjson
from fastapi import FastAPI, Query, Request, Response

from perf.bench.peers.forecast import (
    CELLS,
    DRAW,
    HEAD,
    VALUES,
    outline_of,
    rows_inside,
    rows_of,
)

application = FastAPI()
Form = Annotated[str, Query(alias="format")]
# Once, since they never change.
OUTLINES = {cell: [outline_of(cell)] for cell in CELLS.tolist()}


class CellInput(msgspec.Struct):
    cell_id: int
    features: dict[str, float] | None = None


class SnapshotRequest(msgspec.Struct):
    time: str
    horizon_sec: int
    cells: list[CellInput]
    region: str | None = None
    n_scenarios: int = 50


@application.get("/health/live")
async def live() -> Response:
    return Response(b'{"status":"ok"}', media_type="application/json")


@application.post("/api/v1/score-snapshot")
async def score_snapshot(request: Request) -> Response:
    body = msgspec.json.decode(await request.body(), type=SnapshotRequest)
    rows = rows_of([cell.cell_id for cell in body.cells])
    drawn = DRAW[: body.n_scenarios, rows].T.tolist()
    params = zip(*(values[rows].tolist() for values in VALUES.values()), strict=True)
    zones: list[dict[str, Any]] = [
        {
            "cell_id": str(cell.cell_id),
            "cell_hex": f"{cell.cell_id:x}",
            "distribution_params": dict(zip(VALUES, of_cell, strict=True)),
            "scenarios": [
                {"scenario_id": number, "risk_value": value}
                for number, value in enumerate(values)
            ],
        }
        for cell, of_cell, values in zip(body.cells, params, drawn, strict=True)
    ]
    content = orjson.dumps({**HEAD, "zones": zones})
    return Response(content, media_type="application/json")


@application.get("/api/v1/risk-map")
async def risk_map(bbox: str, form: Form = "json") -> Response:
    rows = rows_inside(bbox)
    columns = {name: values[rows].tolist() for name, values in VALUES.items()}
    cells = [
        {
            "cell_id": str(cell),
            "cell_hex": f"{cell:x}",
            "mean_risk": of_cell[0],
            **dict(zip(VALUES, of_cell, strict=True)),
        }
        for cell, *of_cell in zip(CELLS[rows].tolist(), *columns.values(), strict=True)
    ]
    if form == "json":
        content = orjson.dumps({**HEAD, "aggregated": cells})
        return Response(content, media_type="application/json")
    features = [
        {
            "type": "Feature",
            "id": cell["cell_hex"],
            "properties": cell,
            "geometry": {
                "type": "Polygon",
                "coordinates": OUTLINES[int(cell["cell_id"])],
            },
        }
        for cell in cells
    ]
    collection = {**HEAD, "type": "FeatureCollection", "features": features}
    content = orjson.dumps(collection)
    return Response(content, media_type="application/geo+json")
