"""Changes of champion: promotion, rollback, reload."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from riskplatform.api.creating import IDEMPOTENCY_KEY, answer_creation
from riskplatform.api.inputs import body_schema, decode_body
from riskplatform.api.keys.access import find_access
from riskplatform.api.keys.principal import actor_of
from scoring.api.access import region_to_change
from scoring.api.model_versions import WRITERS, summary_of, version_to_change
from scoring.api.registry_schemas import ReloadAnswer, ReloadRequest, SwitchAnswer
from scoring.services.registry.promotion import Switched, promote, roll_back
from scoring.services.registry.reloading import reload_model

ANSWERS = {(200, "application/json"): body_schema(SwitchAnswer)}


class ModelPromoteView(APIView):
    permission_classes = (WRITERS,)

    @extend_schema(
        operation_id="models_promote",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses=ANSWERS,
    )
    def post(self, request: Request, version_id: UUID) -> HttpResponse:
        """Make a challenger champion; 409 with the figures where the gate says no."""
        return _answer(request, version_id, promote)


class ModelRollbackView(APIView):
    permission_classes = (WRITERS,)

    @extend_schema(
        operation_id="models_rollback",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses=ANSWERS,
    )
    def post(self, request: Request, version_id: UUID) -> HttpResponse:
        """Go back from this champion to the one before it."""
        return _answer(request, version_id, roll_back)


class ReloadModelView(APIView):
    permission_classes = (WRITERS,)

    @extend_schema(
        operation_id="reload_model",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": body_schema(ReloadRequest)},
        responses={(200, "application/json"): body_schema(ReloadAnswer)},
    )
    def post(self, request: Request) -> HttpResponse:
        """Put an earlier champion, or an artifact from a store, in service."""
        asked = decode_body(request, ReloadRequest)
        region = (
            None if asked.region is None else region_to_change(request, asked.region)
        )

        def reload() -> dict[str, Any]:
            reloaded = reload_model(
                asked.version,
                region=region,
                artifact_uri=asked.artifact_uri,
                access=find_access(request),
                actor=actor_of(request),
            )
            return {
                "status": "loaded" if reloaded.is_changed else "unchanged",
                "loaded_version": str(reloaded.version),
                "model_id": str(reloaded.version.pk),
                "loaded_at": reloaded.loaded_at,
            }

        return answer_creation(request, reload, status=200)


def _answer(
    request: Request, version_id: UUID, change: Callable[..., Switched]
) -> HttpResponse:
    version = version_to_change(request, version_id)

    def create() -> dict[str, Any]:
        switched = change(version, actor=actor_of(request))
        switch = switched.switch
        return {
            "champion": summary_of(switched.champion),
            "reason": "" if switch is None else switch.reason,
            "figures": {} if switch is None else switch.figures,
            "switched_at": None if switch is None else switch.switched_at,
        }

    return answer_creation(request, create, status=200)
