"""Changes of champion: promotion, rollback, reload."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from msgspec import Meta, Struct
from rest_framework.request import Request

from riskplatform.api.creating import Once
from riskplatform.api.endpoints import Router
from riskplatform.api.keys.access import find_access
from riskplatform.api.keys.principal import actor_of
from riskplatform.kernel.instants import AwareTime
from scoring.api.access import region_to_change
from scoring.api.model_versions import (
    MODEL,
    WRITERS,
    ModelSummary,
    summary_of,
    version_to_change,
)
from scoring.api.schemas import Slug
from scoring.services.registry import reloading
from scoring.services.registry.promotion import Switched, promote, roll_back
from scoring.services.registry.reloading import Reloaded

router = Router()

ArtifactUri = Annotated[
    str,
    Meta(
        max_length=500,
        description="store://name/path of a configured store: a file, or a folder of "
        "*.model files if it ends in a slash.",
    ),
]


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
