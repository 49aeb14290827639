"""Who is champion of a region: challenge, promote through the gate, roll back."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from riskplatform.kernel.changes import publish_changes
from scoring import change_names
from scoring.errors import (
    ForecastRefusedError,
    ModelStateError,
    NoEarlierChampionError,
    PromotionRefusedError,
)
from scoring.metrics import MODEL_SWITCHES
from scoring.models import Forecast, ForecastSkill, ModelSwitch, ModelVersion
from scoring.selectors.forecasts import list_latest_forecasts
from scoring.selectors.model_versions import (
    find_champion,
    find_champion_before,
    list_challengers,
)
from scoring.selectors.regions import grid_of_region
from scoring.services.announcing import announce_forecasts
from scoring.services.forecasts.publishing import publish_version
from scoring.services.regions import lock_region
from scoring.services.registry.promotion_gate import judge

State = ModelVersion.State
Reason = ModelSwitch.Reason
MOST_CHALLENGERS = 3
SWITCH_ATTEMPTS = 5
# Less likely than this by its own forecast, in one tail.
FAR_OFF = 0.001
LOOK_BACK = 500

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """The champion there is now; `switch` is None where nothing changed."""

    champion: ModelVersion
    switch: ModelSwitch | None


@transaction.atomic
def challenge(version: ModelVersion) -> ModelVersion:
    """Have a version forecast in the shadow of the champion from now on.

    Raises
    ------
    ModelStateError
        It does so already, is champion, or the region has enough challengers.
    """
    lock_region(version.region)
    version.refresh_from_db(fields=("state",))
    _require_state(version, State.CANDIDATE, State.RETIRED)
    if len(list_challengers(version.region)) >= MOST_CHALLENGERS:
        raise ModelStateError(
            f"Region {version.region.slug!r} has {MOST_CHALLENGERS} challengers, "
            "which is the most there can be. Retire one first."
        )
    version.state = State.CHALLENGER
    version.save(update_fields=("state",))
    return version


@transaction.atomic
def retire(version: ModelVersion) -> ModelVersion:
    """Have a candidate or challenger forecast no more."""
    lock_region(version.region)
    version.refresh_from_db(fields=("state",))
    _require_state(version, State.CANDIDATE, State.CHALLENGER)
    version.state = State.RETIRED
    version.save(update_fields=("state",))
    return version


def promote(version: ModelVersion, *, actor: str, forced_because: str = "") -> Switched:
    """Make a challenger champion if it passed the gate; the first needs none.

    Raises
    ------
    PromotionRefusedError
        It did not pass; `gate` of the context says which figures failed.
    """
    champion = find_champion(version.region)
    if champion is None:
        return make_champion(version, reason=Reason.FIRST, actor=actor)
    if forced_because:
        return make_champion(
            version,
            reason=Reason.PROMOTION,
            actor=actor,
            figures={"forced_because": forced_because},
        )
    _require_state(version, State.CHALLENGER)
    verdict = judge(version, champion=champion)
    if verdict.failed:
        raise PromotionRefusedError(
            f"{version} does not replace {champion}: {'; '.join(verdict.failed)}.",
            gate=asdict(verdict),
        )
    return make_champion(
        version,
        reason=Reason.PROMOTION,
        actor=actor,
        figures=asdict(verdict),
        instead_of=champion,
    )


def roll_back(
    champion: ModelVersion,
    *,
    actor: str,
    reason: ModelSwitch.Reason = Reason.ROLLBACK,
    figures: dict[str, Any] | None = None,
) -> Switched:
    """Go back to the champion before this one, without any gate.

    Raises
    ------
    NoEarlierChampionError
        This one was the first.
    """
    _require_state(champion, State.CHAMPION)
    before = find_champion_before(champion)
    if before is None:
        raise NoEarlierChampionError(
            f"{champion} is the first champion of its region; there is none before it."
        )
    return make_champion(
        before, reason=reason, actor=actor, figures=figures, instead_of=champion
    )


def make_champion(
    version: ModelVersion,
    *,
    reason: ModelSwitch.Reason,
    actor: str,
    figures: dict[str, Any] | None = None,
    instead_of: ModelVersion | None = None,
) -> Switched:
    """Put a version and its forecasts in service at one moment.

    Its forecasts for what is served now are made before, so that readers go from
    the forecasts of the one version to those of the other and never miss one. What
    was decided about `instead_of` holds only as long as that is champion.
    """
    region = version.region
    for _ in range(SWITCH_ATTEMPTS):
        prepared = _prepare(version)
        made = {forecast.horizon_sec: forecast.issued_for for forecast in prepared}
        with transaction.atomic():
            lock_region(region)
            if instead_of is not None:
                instead_of.refresh_from_db(fields=("state",))
                _require_state(instead_of, State.CHAMPION)
            # Newer forecasts that came meanwhile have to be made as well.
            if all(
                made.get(latest.horizon_sec, latest.issued_for) >= latest.issued_for
                for latest in list_latest_forecasts(region)
            ):
                switch = ModelSwitch(
                    region=region,
                    after=version,
                    reason=reason,
                    actor=actor,
                    figures=figures or {},
                )
                return _switch(version, prepared, switch)
    raise ModelStateError(
        f"Forecasts of {region.slug!r} come faster than {version} can follow. "
        "Try again shortly."
    )


def _prepare(version: ModelVersion) -> Sequence[Forecast]:
    """Give its newest forecast of each horizon, made now where it lags behind."""
    served = {
        latest.horizon_sec: latest for latest in list_latest_forecasts(version.region)
    }
    prepared = []
    for horizon_sec in version.artifacts.values_list("horizon_sec", flat=True):
        latest = served.get(horizon_sec)
        own = Forecast.objects.filter(model_version=version, horizon_sec=horizon_sec)
        newest = own.newest_first().first()
        if latest is not None and (
            newest is None or newest.issued_for < latest.issued_for
        ):
            (newest,) = publish_version(
                version,
                grid=grid_of_region(version.region),
                issued_for=latest.issued_for,
                horizons_sec=[horizon_sec],
            )
        if newest is not None:
            prepared.append(newest)
    return prepared


def _switch(
    version: ModelVersion, prepared: Sequence[Forecast], switch: ModelSwitch
) -> Switched:
    champion = find_champion(version.region)
    if champion == version:
        return Switched(champion=champion, switch=None)
    if champion is not None:
        champion.state = State.RETIRED
        champion.save(update_fields=("state",))
    version.state = State.CHAMPION
    version.save(update_fields=("state",))
    Forecast.objects.filter(pk__in=[forecast.pk for forecast in prepared]).update(
        is_shadow=False, served_at=timezone.now()
    )
    switch.before = champion
    switch.save()
    publish_changes(change_names.forecasts_of(version.region.slug))
    announce_forecasts(prepared)
    transaction.on_commit(lambda: MODEL_SWITCHES.labels(switch.reason).inc())
    return Switched(champion=version, switch=switch)


def _require_state(version: ModelVersion, *states: ModelVersion.State) -> None:
    if version.state not in states:
        wanted = " or ".join(state.value for state in states)
        raise ModelStateError(
            f"{version} is {version.state}; this takes a {wanted}.",
            state=version.state,
        )


def roll_back_failing_champions() -> list[ModelVersion]:
    """Go back where two windows in a row failed; returns who is champion then."""
    champions = ModelVersion.objects.champions().select_related("region")
    restored = []
    for champion in champions.defer("region__boundary"):
        failure = find_failure(champion)
        if failure is None:
            continue
        try:
            switched = roll_back(
                champion,
                actor="worker",
                reason=ModelSwitch.Reason.AUTOMATIC_ROLLBACK,
                figures={"n_tests": failure},
            )
        except NoEarlierChampionError:
            logger.warning("%s fails its N-tests, and none was before it", champion)
        except ForecastRefusedError as error:
            logger.warning("%s fails its N-tests and stays: %s", champion, error)
        else:
            restored.append(switched.champion)
    return restored


def find_failure(champion: ModelVersion) -> list[dict[str, object]] | None:
    """Give the last two windows of a horizon if both failed.

    They do not overlap: the same burst of events must not count twice.
    """
    skills = ForecastSkill.objects.filter(
        forecast__model_version=champion, forecast__is_shadow=False
    ).select_related("forecast")
    latest: dict[int, ForecastSkill] = {}
    done: set[int] = set()
    for skill in skills.order_by("-forecast__issued_for")[:LOOK_BACK]:
        forecast = skill.forecast
        last = latest.setdefault(forecast.horizon_sec, skill)
        overlaps = forecast.valid_until > last.forecast.issued_for
        if overlaps or forecast.horizon_sec in done:
            continue
        done.add(forecast.horizon_sec)
        if _is_far_off(skill) and _is_far_off(last):
            return [_figures(skill), _figures(last)]
    return None


def _is_far_off(skill: ForecastSkill) -> bool:
    return min(skill.n_test_low, skill.n_test_high) < FAR_OFF


def _figures(skill: ForecastSkill) -> dict[str, object]:
    return {
        "forecast": str(skill.forecast_id),
        "expected_count": skill.forecast.expected_count,
        "observed_count": skill.observed_count,
        "n_test_low": skill.n_test_low,
        "n_test_high": skill.n_test_high,
    }
