"""Reads of the model registry."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from riskplatform.api.keys.access import (
    FULL_ACCESS,
    Access,
    models_changed,
    regions_seen,
)
from scoring.errors import ModelVersionNotFoundError, require
from scoring.models import ModelSwitch, ModelVersion, Region
from scoring.models.model_version import ModelVersionQuerySet

# What made a version champion for the first time; going back is no such thing.
ARRIVALS = (
    ModelSwitch.Reason.FIRST,
    ModelSwitch.Reason.PROMOTION,
    ModelSwitch.Reason.RELOAD,
)


def list_model_versions(
    access: Access, *, region: Region | None = None, state: str | None = None
) -> ModelVersionQuerySet:
    """List the versions of regions that are seen, or whose models may be changed."""
    at = "region__"
    mine = regions_seen(access, at=at) | models_changed(access, at=at)
    versions = ModelVersion.objects.filter(mine)
    versions = versions.select_related("region").defer("region__boundary")
    if region is not None:
        versions = versions.of_region(region)
    return versions if state is None else versions.filter(state=state)


def get_model_version(version_id: UUID, *, access: Access) -> ModelVersion:
    return require(
        list_model_versions(access).filter(pk=version_id).first(),
        ModelVersionNotFoundError(f"There is no model version {version_id}."),
    )


def find_model_version(
    name: str, *, region: Region | None, access: Access
) -> ModelVersion | None:
    """Find a version by its id, or by its name (such as `ensemble-3`) in a region.

    Without a region, those are looked through whose models may be changed.

    Raises
    ------
    ModelVersionNotFoundError
        Several regions have a version of this name.
    """
    versions = list_model_versions(access, region=region)
    if region is None:
        versions = versions.filter(models_changed(access, at="region__"))
    try:
        return versions.filter(pk=UUID(name)).first()
    except ValueError:
        kind, _, number = name.rpartition("-")
    if not (number.isascii() and number.isdigit()) or len(number) > 9:
        return None
    found = list(versions.filter(kind=kind, number=int(number))[:2])
    if len(found) > 1:
        raise ModelVersionNotFoundError(
            f"Several regions have a model version {name}. Name the region."
        )
    return found[0] if found else None


def find_champion(region: Region) -> ModelVersion | None:
    return list_model_versions(FULL_ACCESS, region=region).champions().first()


def list_challengers(region: Region) -> Sequence[ModelVersion]:
    state = ModelVersion.State.CHALLENGER
    return list(list_model_versions(FULL_ACCESS, region=region, state=state))


def find_champion_before(version: ModelVersion) -> ModelVersion | None:
    """Find which version gave way when this one first became champion."""
    arrival = (
        ModelSwitch.objects.filter(after=version, reason__in=ARRIVALS)
        .select_related("before__region")
        .order_by("-switched_at", "-pk")
        .first()
    )
    return None if arrival is None else arrival.before


def list_switches(version: ModelVersion) -> QuerySet[ModelSwitch]:
    """Return the changes of champion that a version had part in, newest first."""
    part = Q(before=version) | Q(after=version)
    return ModelSwitch.objects.filter(part).select_related("before", "after")
