"""Model versions come into the registry as candidates, whole or not at all."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max

from scoring.engine.artifacts import digest_of
from scoring.errors import ModelStateError
from scoring.models import ModelArtifact, ModelVersion
from scoring.services.regions import lock_region


@transaction.atomic
def register_version(
    version: ModelVersion,
    artifacts: Sequence[ModelArtifact],
    *,
    number: int | None = None,
) -> ModelVersion:
    """Store a version and its artifacts, none of which is stored yet, as a candidate.

    Without a `number` it gets the next one of its region.

    Raises
    ------
    ModelStateError
        Its number is taken.
    """
    # Two fits of one region at once must not take one number.
    lock_region(version.region)
    versions = ModelVersion.objects.of_region(version.region)
    newest = versions.aggregate(newest=Max("number"))["newest"] or 0
    version.number = newest + 1 if number is None else number
    if versions.filter(number=version.number).exists():
        raise ModelStateError(
            f"Region {version.region.slug!r} has a model version {version.number} "
            "already."
        )
    version.state = ModelVersion.State.CANDIDATE
    version.save(force_insert=True)
    for artifact in artifacts:
        artifact.model_version = version
    ModelArtifact.objects.bulk_create(artifacts)
    return version


def new_artifact(body: bytes, horizon_sec: int) -> ModelArtifact:
    return ModelArtifact(horizon_sec=horizon_sec, digest=digest_of(body), body=body)
