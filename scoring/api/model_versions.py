"""The model registry: which versions there are, how good they are, who serves."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from riskplatform.api.creating import IDEMPOTENCY_KEY, answer_creation
from riskplatform.api.inputs import (
    body_schema,
    decode_body,
    decode_query,
    query_parameters,
)
from riskplatform.api.keys.access import CHANGE_MODELS, READ_REGIONS, find_access
from riskplatform.api.keys.permissions import has_right
from riskplatform.api.keys.principal import find_principal
from riskplatform.api.paging import rows_of_page
from scoring.api.access import find_region, region_to_change, require_change
from scoring.api.jobs import job_status
from scoring.api.registry_schemas import (
    FitAnswer,
    FitRequest,
    ModelDetail,
    ModelList,
    ModelListQuery,
    ModelSummary,
)
from scoring.models import ModelSwitch, ModelVersion
from scoring.selectors.forecast_skill import LiveSkill, get_live_skill
from scoring.selectors.model_versions import (
    get_model_version,
    list_model_versions,
    list_switches,
)
from scoring.services.registry.jobs import queue_fit
from scoring.services.registry.promotion import challenge

READERS = has_right(READ_REGIONS) | has_right(CHANGE_MODELS)
WRITERS = has_right(CHANGE_MODELS)


class ModelListView(APIView):
    def get_permissions(self) -> list[Any]:
        return [WRITERS() if self.request.method == "POST" else READERS()]

    @extend_schema(
        operation_id="models_list",
        parameters=query_parameters(ModelListQuery),
        responses={(200, "application/json"): body_schema(ModelList)},
    )
    def get(self, request: Request) -> Response:
        """List model versions, newest first, with what their forecasts achieved."""
        query = decode_query(request, ModelListQuery)
        region = None if query.region is None else find_region(request, query.region)
        versions = list_model_versions(
            find_access(request), region=region, state=query.state
        )
        rows, following = rows_of_page(
            versions.defer("region__boundary", "skill"), query, newest_first=True
        )
        skill = get_live_skill(rows)
        results = [model_summary(row, skill.get(row.pk, [])) for row in rows]
        return Response({"results": results, "next": following})

    @extend_schema(
        operation_id="models_fit",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": body_schema(FitRequest)},
        responses={(202, "application/json"): body_schema(FitAnswer)},
    )
    def post(self, request: Request) -> HttpResponse:
        """Have a model version fitted; the job's result names the candidate."""
        asked = decode_body(request, FitRequest)
        principal = find_principal(request)
        organisation = None if principal is None else principal.organisation
        region = region_to_change(request, asked.region)
        return answer_creation(
            request,
            lambda: {
                "job": job_status(
                    queue_fit(region, kind=asked.kind, organisation=organisation)
                )
            },
            status=202,
        )


class ModelDetailView(APIView):
    permission_classes = (READERS,)

    @extend_schema(
        operation_id="models_get",
        responses={(200, "application/json"): body_schema(ModelDetail)},
    )
    def get(self, request: Request, version_id: UUID) -> Response:
        version = get_model_version(version_id, access=find_access(request))
        skill = get_live_skill([version]).get(version.pk, [])
        artifacts = version.artifacts.values("horizon_sec", "digest")
        return Response(
            {
                **model_summary(version, skill),
                "skill": version.skill,
                "notes": version.notes,
                "artifacts": list(artifacts.order_by("horizon_sec")),
                "switches": [_change(switch) for switch in list_switches(version)],
            }
        )


class ModelChallengeView(APIView):
    permission_classes = (WRITERS,)

    @extend_schema(
        operation_id="models_challenge",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={(200, "application/json"): body_schema(ModelSummary)},
    )
    def post(self, request: Request, version_id: UUID) -> HttpResponse:
        """Let it forecast in the shadow of the champion from the next refresh on."""
        version = version_to_change(request, version_id)
        return answer_creation(
            request, lambda: summary_of(challenge(version)), status=200
        )


def version_to_change(request: Request, version_id: UUID) -> ModelVersion:
    version = get_model_version(version_id, access=find_access(request))
    require_change(request, version.region)
    return version


def model_summary(version: ModelVersion, skill: list[LiveSkill]) -> dict[str, Any]:
    return {
        "id": str(version.pk),
        "version": str(version),
        "region": version.region.slug,
        "kind": version.kind,
        "number": version.number,
        "state": version.state,
        "trained_from": version.trained_from,
        "trained_until": version.trained_until,
        "event_count": version.event_count,
        "created_at": version.created_at,
        "live_skill": [asdict(figures) for figures in skill],
    }


def summary_of(version: ModelVersion) -> dict[str, Any]:
    return model_summary(version, get_live_skill([version]).get(version.pk, []))


def _change(switch: ModelSwitch) -> dict[str, Any]:
    return {
        "before": None if switch.before is None else str(switch.before),
        "after": str(switch.after),
        "reason": switch.reason,
        "actor": switch.actor,
        "figures": switch.figures,
        "switched_at": switch.switched_at,
    }
