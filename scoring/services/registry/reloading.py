"""Put a named model version in service, from the registry or from a model store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from riskplatform.api.keys.access import Access
from riskplatform.kernel.errors import InvalidInputError
from scoring.engine.artifacts import digest_of
from scoring.errors import (
    ArtifactNotUsableError,
    ModelStateError,
    ModelVersionNotFoundError,
)
from scoring.models import ModelSwitch, ModelVersion, Region
from scoring.selectors.model_versions import ARRIVALS, find_model_version
from scoring.services.registry.promotion import make_champion
from scoring.services.registry.store_trial import Description
from scoring.services.registry.stores import (
    moment_of,
    read_artifacts,
    try_artifacts,
)
from scoring.services.registry.training import new_artifact, register_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """`is_changed` is False where the version was in service already."""

    version: ModelVersion
    is_changed: bool
    loaded_at: datetime


def reload_model(
    name: str,
    *,
    region: Region | None,
    artifact_uri: str | None,
    access: Access,
    actor: str,
) -> Reloaded:
    """Make a version champion that was so before, or that an operator has provided.

    `name` is an id, or kind and number such as `ensemble-3`; without a region it is
    looked for in those whose models `access` may change. Every process serves
    the forecasts of the champion from the database, so that none has to be notified.

    Raises
    ------
    ModelVersionNotFoundError, ModelStateError, ArtifactNotUsableError
    """
    version = find_model_version(name, region=region, access=access)
    if artifact_uri is not None:
        version = _from_store(name, version, region, artifact_uri)
    elif version is None:
        raise ModelVersionNotFoundError(f"There is no model version {name!r}.")
    elif version.state != ModelVersion.State.CHAMPION:
        arrivals = ModelSwitch.objects.filter(after=version, reason__in=ARRIVALS)
        if not arrivals.exists():
            raise ModelStateError(
                f"{version} is {version.state} and was never champion. Promote it, "
                "which asks for its figures.",
                state=version.state,
            )
    switched = make_champion(version, reason=ModelSwitch.Reason.RELOAD, actor=actor)
    return Reloaded(
        version=switched.champion,
        is_changed=switched.switch is not None,
        loaded_at=timezone.now(),
    )


def _from_store(
    name: str, version: ModelVersion | None, region: Region | None, artifact_uri: str
) -> ModelVersion:
    target = region if version is None else version.region
    if target is None:
        raise InvalidInputError(
            "Name the region that the new version is for.", field="region"
        )
    bodies = read_artifacts(artifact_uri)
    if version is None:
        return _register(name, target, try_artifacts(bodies, region=target))
    # Equal bytes were made here, or tried when they were registered.
    known = set(version.artifacts.values_list("digest", flat=True))
    if known != {digest_of(body) for body in bodies}:
        raise ModelStateError(
            f"{version} is registered with other artifacts. Use a new number."
        )
    return version


def _register(
    name: str, region: Region, tried: Sequence[tuple[Description, bytes]]
) -> ModelVersion:
    known = [description for description, _ in tried]
    own = known[0]
    kind, _, number = name.rpartition("-")
    is_number = number.isascii() and number.isdigit() and len(number) <= 9
    if kind != own.kind or not is_number:
        raise InvalidInputError(
            f"The artifact is a {own.kind}; name it {own.kind}- and a number.",
            field="version",
        )
    if own.timezone != region.timezone:
        raise ArtifactNotUsableError(
            f"The artifact was fitted for the time zone {own.timezone}, the region "
            f"has {region.timezone}."
        )
    version = ModelVersion(
        region=region,
        kind=own.kind,
        trained_from=moment_of(min(each.fitted_from_s for each in known)),
        trained_until=moment_of(max(each.fitted_until_s for each in known)),
        event_count=max(each.n_events for each in known),
    )
    artifacts = [new_artifact(body, int(each.horizon_s)) for each, body in tried]
    return register_version(version, artifacts, number=int(number))
