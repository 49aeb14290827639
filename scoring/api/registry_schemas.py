"""What the model registry takes and gives."""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from riskplatform.api.paging import PageQuery
from scoring.api.jobs import JobStatus
from scoring.api.schemas import AwareTime, HorizonSec, Slug
from scoring.engine.models.registry import KINDS
from scoring.services.registry.fitting import SERVED_KIND

ModelKind = Annotated[
    str, Meta(pattern=f"^({'|'.join(KINDS)})$", description="Model family.")
]
ArtifactUri = Annotated[
    str,
    Meta(
        max_length=500,
        description="store://name/path of a configured store: a file, or a folder of "
        "*.model files if it ends in a slash.",
    ),
]
ModelState = Literal["candidate", "challenger", "champion", "retired"]


class ModelListQuery(PageQuery):
    region: Slug | None = None
    state: ModelState | None = None


class LiveSkillFigures(Struct):
    horizon_sec: int
    forecast_count: int
    event_count: int
    gain: Annotated[
        float | None, Meta(description="Nats an event over long-run rates.")
    ]
    brier_score: float
    n_test_failures: int


class ModelSummary(Struct):
    id: str
    version: str
    region: str
    kind: str
    number: int
    state: ModelState
    trained_from: AwareTime
    trained_until: AwareTime
    event_count: int
    created_at: AwareTime
    live_skill: list[LiveSkillFigures]


class ModelArtifactDigest(Struct):
    horizon_sec: int
    digest: str


class ModelChange(Struct):
    before: str | None
    after: str
    reason: str
    actor: str
    figures: dict[str, Any]
    switched_at: AwareTime


class ModelDetail(ModelSummary):
    skill: Annotated[dict[str, Any], Meta(description="Back-test, by horizon.")]
    notes: Annotated[
        list[str],
        Meta(description="Events and horizons that were left out, and why."),
    ]
    artifacts: list[ModelArtifactDigest]
    switches: list[ModelChange]


class ModelList(Struct):
    results: list[ModelSummary]
    next: str | None


class FitRequest(Struct, forbid_unknown_fields=True):
    region: Slug
    kind: ModelKind = SERVED_KIND


class FitAnswer(Struct):
    job: JobStatus


class SwitchAnswer(Struct):
    champion: ModelSummary
    reason: str
    figures: dict[str, Any]
    switched_at: AwareTime | None


class ReloadRequest(Struct, forbid_unknown_fields=True):
    version: Annotated[
        str,
        Meta(
            pattern=r"^[a-zA-Z0-9_-]{1,80}$",
            description="Id, or kind and number such as ensemble-3.",
        ),
    ]
    region: Slug | None = None
    artifact_uri: ArtifactUri | None = None


class ReloadAnswer(Struct):
    status: Literal["loaded", "unchanged"]
    loaded_version: str
    model_id: str
    loaded_at: AwareTime


class ForecastListQuery(PageQuery):
    region: Slug | None = None
    model_version: Annotated[UUID, Meta(description="Its id.")] | None = None
    horizon_sec: HorizonSec | None = None
    is_shadow: bool | None = None


class ForecastSkillFigures(Struct):
    scored_at: AwareTime
    observed_count: int
    log_score: Annotated[float, Meta(description="Nats, higher is better.")]
    brier_score: Annotated[float, Meta(description="Lower is better.")]
    gain: Annotated[
        float | None, Meta(description="Nats an event over long-run rates.")
    ]
    n_test_low: Annotated[float, Meta(description="P(at least as many as observed).")]
    n_test_high: Annotated[float, Meta(description="P(at most as many as observed).")]


class ForecastSummary(Struct):
    id: str
    region: str
    model_id: str
    model_version: str
    issued_for: AwareTime
    valid_until: AwareTime
    horizon_sec: int
    expected_count: float
    cell_count: int
    is_shadow: bool
    created_at: AwareTime
    skill: Annotated[
        ForecastSkillFigures | None, Meta(description="Once its horizon has passed.")
    ]


class ForecastList(Struct):
    results: list[ForecastSummary]
    next: str | None


class ForecastSkillDetail(ForecastSkillFigures):
    forecast: ForecastSummary
    figures: dict[str, Any]
