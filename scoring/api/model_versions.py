"""The model registry: which versions there are, how good they are, who serves."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self, cast
from uuid import UUID

from msgspec import Meta, Struct
from rest_framework.request import Request

from riskplatform.api.creating import Once
from riskplatform.api.endpoints import Router
from riskplatform.api.keys.access import CHANGE_MODELS, READ_REGIONS, find_access
from riskplatform.api.keys.permissions import has_right
from riskplatform.api.keys.principal import actor_of, find_principal
from riskplatform.api.paging import Page, PageQuery, rows_of_page
from riskplatform.kernel.instants import AwareTime
from scoring.api.access import find_region, region_to_change, require_change
from scoring.api.jobs import JobStatus
from scoring.api.schemas import Slug
from scoring.engine.models.registry import KINDS
from scoring.horizons import SERVED_KIND
from scoring.models import ModelSwitch, ModelVersion
from scoring.selectors.live_skill import LiveSkillFigures, get_live_skill
from scoring.selectors.model_versions import (
    get_model_version,
    list_model_versions,
    list_switches,
)
from scoring.services.registry import reloading
from scoring.services.registry.fitting import queue_fit
from scoring.services.registry.promotion import Switched, challenge, promote, roll_back
from scoring.services.registry.reloading import Reloaded

READERS = has_right(READ_REGIONS) | has_right(CHANGE_MODELS)
WRITERS = has_right(CHANGE_MODELS)
MODEL = "models/<uuid:version_id>"

ModelKind = Annotated[
    str, Meta(pattern=f"^({'|'.join(KINDS)})$", description="Model family.")
]
ModelState = Literal["candidate", "challenger", "champion", "retired"]
router = Router()

ArtifactUri = Annotated[
    str,
    Meta(
        max_length=500,
        description="store://name/path of a configured store: a file, or a folder of "
        "*.model files if it ends in a slash.",
    ),
]


class ModelListQuery(PageQuery):
    region: Slug | None = None
    state: Annotated[ModelState, Meta(description="Whether it serves.")] | None = None


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

    @classmethod
    def of(
        cls, version: ModelVersion, live_skill: list[LiveSkillFigures], **more: Any
    ) -> Self:
        return cls(
            id=str(version.pk),
            version=str(version),
            region=version.region.slug,
            kind=version.kind,
            number=version.number,
            state=cast("ModelState", version.state),
            trained_from=version.trained_from,
            trained_until=version.trained_until,
            event_count=version.event_count,
            created_at=version.created_at,
            live_skill=live_skill,
            **more,
        )


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

    @classmethod
    def of(cls, switch: ModelSwitch) -> Self:
        return cls(
            before=None if switch.before is None else str(switch.before),
            after=str(switch.after),
            reason=switch.reason,
            actor=switch.actor,
            figures=switch.figures,
            switched_at=switch.switched_at,
        )


class ModelDetail(ModelSummary):
    skill: Annotated[dict[str, Any], Meta(description="Back-test, by horizon.")]
    notes: Annotated[
        list[str],
        Meta(description="Events and horizons that were left out, and why."),
    ]
    artifacts: list[ModelArtifactDigest]
    switches: list[ModelChange]


class FitRequest(Struct, forbid_unknown_fields=True):
    region: Slug
    kind: ModelKind = SERVED_KIND


class FitAnswer(Struct):
    job: JobStatus


@router.get("models", READERS)
def models_list(request: Request, query: ModelListQuery) -> Page[ModelSummary]:
    """List model versions, newest first, with what their forecasts achieved."""
    region = None if query.region is None else find_region(request, query.region)
    versions = list_model_versions(
        find_access(request), region=region, state=query.state
    )
    rows, following = rows_of_page(
        versions.defer("region__boundary", "skill"), query, newest_first=True
    )
    skill = get_live_skill(rows)
    return Page(
        [ModelSummary.of(row, skill.get(row.pk, [])) for row in rows], following
    )


@router.post("models", WRITERS, status=202)
def models_fit(request: Request, body: FitRequest) -> Once[FitAnswer]:
    """Have a model version fitted; the job's result names the candidate."""
    principal = find_principal(request)
    organisation = None if principal is None else principal.organisation
    region = region_to_change(request, body.region)

    def fit() -> FitAnswer:
        job = queue_fit(region, kind=body.kind, organisation=organisation)
        return FitAnswer(JobStatus.of(job))

    return Once(fit)


@router.get(MODEL, READERS)
def models_get(request: Request, version_id: UUID) -> ModelDetail:
    """Give one version: its back-test, and when it served."""
    version = get_model_version(version_id, access=find_access(request))
    artifacts = version.artifacts.order_by("horizon_sec")
    return ModelDetail.of(
        version,
        _live_skill(version),
        skill=version.skill,
        notes=version.notes,
        artifacts=[
            ModelArtifactDigest(horizon_sec=horizon_sec, digest=digest)
            for horizon_sec, digest in artifacts.values_list("horizon_sec", "digest")
        ],
        switches=[ModelChange.of(switch) for switch in list_switches(version)],
    )


@router.post(f"{MODEL}/challenge", WRITERS)
def models_challenge(request: Request, version_id: UUID) -> Once[ModelSummary]:
    """Let it forecast in the shadow of the champion from the next refresh on."""
    version = version_to_change(request, version_id)
    return Once(lambda: summary_of(challenge(version)))


def version_to_change(request: Request, version_id: UUID) -> ModelVersion:
    version = get_model_version(version_id, access=find_access(request))
    require_change(request, version.region)
    return version


def summary_of(version: ModelVersion) -> ModelSummary:
    return ModelSummary.of(version, _live_skill(version))


def _live_skill(version: ModelVersion) -> list[LiveSkillFigures]:
    return get_live_skill([version]).get(version.pk, [])


class SwitchAnswer(Struct):
    champion: ModelSummary
    reason: str
    figures: dict[str, Any]
    switched_at: AwareTime | None

    @classmethod
    def of(cls, switched: Switched) -> Self:
        switch = switched.switch
        return cls(
            champion=summary_of(switched.champion),
            reason="" if switch is None else switch.reason,
            figures={} if switch is None else switch.figures,
            switched_at=None if switch is None else switch.switched_at,
        )


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

    @classmethod
    def of(cls, reloaded: Reloaded) -> Self:
        return cls(
            status="loaded" if reloaded.is_changed else "unchanged",
            loaded_version=str(reloaded.version),
            model_id=str(reloaded.version.pk),
            loaded_at=reloaded.loaded_at,
        )


@router.post(f"{MODEL}/promote", WRITERS)
def models_promote(request: Request, version_id: UUID) -> Once[SwitchAnswer]:
    """Make a challenger champion; 409 with the figures where the gate says no."""
    return _switch(request, version_id, promote)


@router.post(f"{MODEL}/rollback", WRITERS)
def models_rollback(request: Request, version_id: UUID) -> Once[SwitchAnswer]:
    """Go back from this champion to the one before it."""
    return _switch(request, version_id, roll_back)


@router.post("reload-model", WRITERS)
def reload_model(request: Request, body: ReloadRequest) -> Once[ReloadAnswer]:
    """Put an earlier champion, or an artifact from a store, in service."""
    region = None if body.region is None else region_to_change(request, body.region)

    def reload() -> ReloadAnswer:
        reloaded = reloading.reload_model(
            body.version,
            region=region,
            artifact_uri=body.artifact_uri,
            access=find_access(request),
            actor=actor_of(request),
        )
        return ReloadAnswer.of(reloaded)

    return Once(reload)


def _switch(
    request: Request, version_id: UUID, change: Callable[..., Switched]
) -> Once[SwitchAnswer]:
    version = version_to_change(request, version_id)
    return Once(lambda: SwitchAnswer.of(change(version, actor=actor_of(request))))
