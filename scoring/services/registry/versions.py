"""Model versions come into the registry as candidates, whole or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from scoring.errors import ModelStateError
from scoring.models import ModelArtifact, ModelVersion, Region
from scoring.services.regions import lock_region


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArtifact:
    horizon_sec: int
    digest: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """A fitted forecaster of a region; without a `number` it gets the next one."""

    kind: str
    trained_from: datetime
    trained_until: datetime
    event_count: int
    artifacts: Sequence[NewArtifact]
    skill: dict[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    number: int | None = None


@transaction.atomic
def register_version(region: Region, *, version: NewVersion) -> ModelVersion:
    """Store a version with its artifacts, as a candidate.

    Raises
    ------
    ModelStateError
        Its number is taken.
    """
    # Two fits of one region at once must not take one number.
    lock_region(region)
    versions = ModelVersion.objects.of_region(region)
    newest = versions.aggregate(newest=Max("number"))["newest"] or 0
    number = newest + 1 if version.number is None else version.number
    if versions.filter(number=number).exists():
        raise ModelStateError(
            f"Region {region.slug!r} has a model version {number} already."
        )
    stored = ModelVersion.objects.create(
        region=region,
        number=number,
        kind=version.kind,
        state=ModelVersion.State.CANDIDATE,
        trained_from=version.trained_from,
        trained_until=version.trained_until,
        event_count=version.event_count,
        skill=version.skill,
        notes=list(version.notes),
    )
    ModelArtifact.objects.bulk_create(
        ModelArtifact(
            model_version=stored,
            horizon_sec=artifact.horizon_sec,
            digest=artifact.digest,
            body=artifact.body,
        )
        for artifact in version.artifacts
    )
    return stored
