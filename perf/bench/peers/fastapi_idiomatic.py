"""FastAPI with pydantic models in and out, as its documentation shows it."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import FastAPI, Query
from pydantic import BaseModel, Field

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


class CellInput(BaseModel):
    cell_id: int
    features: dict[str, float] | None = None


class SnapshotRequest(BaseModel):
    time: datetime
    horizon_sec: int
    cells: list[CellInput] = Field(min_length=1, max_length=20_000)
    region: str | None = None
    n_scenarios: int = Field(default=50, ge=1, le=1_000)


class DistributionParams(BaseModel):
    p_event: float
    q05: float
    q50: float
    q95: float


class ScenarioValue(BaseModel):
    scenario_id: int
    risk_value: float


class Zone(BaseModel):
    cell_id: str
    cell_hex: str
    distribution_params: DistributionParams
    scenarios: list[ScenarioValue]


class Head(BaseModel):
    region: str
    forecast_id: str
    model_version: str
    time: datetime
    horizon_sec: int
    raised_from_shorter_horizon: int


class CellRisk(DistributionParams):
    cell_id: str
    cell_hex: str
    mean_risk: float


class RiskMap(Head):
    aggregated: list[CellRisk]


class Geometry(BaseModel):
    type: Literal["Polygon"] = "Polygon"
    coordinates: list[list[list[float]]]


class Feature(BaseModel):
    type: Literal["Feature"] = "Feature"
    id: str
    properties: CellRisk
    geometry: Geometry


class FeatureCollection(Head):
    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[Feature]


class Snapshot(Head):
    zones: list[Zone]


@application.get("/health/live")
def live() -> dict[str, str]:
    return {"status": "ok"}


@application.post("/api/v1/score-snapshot")
def score_snapshot(body: SnapshotRequest) -> Snapshot:
    rows = rows_of([cell.cell_id for cell in body.cells])
    drawn = DRAW[: body.n_scenarios, rows]
    zones = [
        Zone(
            cell_id=str(cell.cell_id),
            cell_hex=f"{cell.cell_id:x}",
            distribution_params=DistributionParams(
                **{name: float(values[row]) for name, values in VALUES.items()}
            ),
            scenarios=[
                ScenarioValue(scenario_id=number, risk_value=value)
                for number, value in enumerate(drawn[:, index].tolist())
            ],
        )
        for index, (cell, row) in enumerate(zip(body.cells, rows, strict=True))
    ]
    return Snapshot(**HEAD, zones=zones)


@application.get("/api/v1/risk-map")
def risk_map(bbox: str, form: Form = "json") -> RiskMap | FeatureCollection:
    rows = rows_inside(bbox)
    cells = [
        CellRisk(
            cell_id=str(cell),
            cell_hex=f"{cell:x}",
            mean_risk=float(VALUES["p_event"][row]),
            **{name: float(values[row]) for name, values in VALUES.items()},
        )
        for row, cell in zip(rows, CELLS[rows].tolist(), strict=True)
    ]
    if form == "json":
        return RiskMap(**HEAD, aggregated=cells)
    return FeatureCollection(
        **HEAD,
        features=[
            Feature(
                id=cell.cell_hex,
                properties=cell,
                geometry=Geometry(coordinates=[outline_of(int(cell.cell_id))]),
            )
            for cell in cells
        ],
    )
