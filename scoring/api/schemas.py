"""What the API takes and gives, as structs that parse, validate and document it."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from scoring.horizons import DAY_S

Slug = Annotated[
    str, Meta(pattern=r"^[-a-zA-Z0-9_]{1,50}$", description="Slug of a region.")
]
AwareTime = Annotated[
    datetime, Meta(tz=True, description="RFC 3339 time with an offset.")
]
HorizonSec = Annotated[
    int, Meta(ge=1, le=366 * 86_400, description="Seconds ahead that are forecast.")
]
Probability = Annotated[float, Meta(ge=0, le=1)]
EventProbability = Annotated[
    float,
    Meta(ge=0, le=1, description="Of at least one event within the horizon."),
]
RiskQuantile = Annotated[
    float,
    Meta(
        ge=0,
        le=1,
        description="Quantile of the probability of an event over what is not known of "
        "the rate of the cell; p_event lies between q05 and q95.",
    ),
]
RiskValue = Annotated[
    float,
    Meta(
        ge=0,
        le=1,
        description="Joint draw over all cells of the probability of an event; its "
        "mean over the scenarios is p_event.",
    ),
]
CellId = Annotated[
    int | str, Meta(description="H3 index: a 64-bit integer, or text in hex.")
]

MAX_CELLS = 20_000
MAX_SCENARIOS = 1_000


class RiskMapQuery(Struct, forbid_unknown_fields=True):
    region: Slug
    horizon_sec: HorizonSec = DAY_S
    time: AwareTime | None = None
    bbox: (
        Annotated[str, Meta(description="West,south,east,north in degrees.")] | None
    ) = None
    min_p: Annotated[
        float, Meta(ge=0, le=1, description="Leave out cells below this p_event.")
    ] = 0.0
    format: Annotated[str, Meta(description="json, geojson, csv or arrow.")] = "json"


class TileQuery(Struct, forbid_unknown_fields=True):
    region: Slug
    horizon_sec: HorizonSec = DAY_S
    time: AwareTime | None = None
    min_p: Annotated[
        float, Meta(ge=0, le=1, description="Leave out cells below this p_event.")
    ] = 0.0


class CellRisk(Struct):
    cell_id: int
    cell_hex: str
    p_event: EventProbability
    mean_risk: EventProbability
    q05: RiskQuantile
    q50: RiskQuantile
    q95: RiskQuantile


class RiskMap(Struct):
    region: str
    forecast_id: str
    model_version: str
    time: AwareTime
    horizon_sec: int
    aggregated: list[CellRisk]


class CellInput(Struct, forbid_unknown_fields=True):
    cell_id: CellId
    features: dict[str, float] | None = None


class SnapshotRequest(Struct, forbid_unknown_fields=True):
    time: AwareTime
    horizon_sec: HorizonSec
    cells: Annotated[list[CellInput], Meta(min_length=1, max_length=MAX_CELLS)]
    region: Slug | None = None
    n_scenarios: Annotated[int, Meta(ge=1, le=MAX_SCENARIOS)] = 50


class DistributionParams(Struct):
    p_event: EventProbability
    q05: RiskQuantile
    q50: RiskQuantile
    q95: RiskQuantile


class ScenarioValue(Struct):
    scenario_id: int
    risk_value: RiskValue


class Zone(Struct):
    cell_id: int
    cell_hex: str
    distribution_params: DistributionParams
    scenarios: list[ScenarioValue]


class Snapshot(Struct):
    region: str
    forecast_id: str
    model_version: str
    time: AwareTime
    horizon_sec: int
    zones: list[Zone]
