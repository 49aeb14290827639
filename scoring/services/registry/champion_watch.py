"""Rolls a champion back whose numbers of events have twice been far off."""

import logging

from scoring.errors import ForecastRefusedError, NoEarlierChampionError
from scoring.models import ForecastSkill, ModelSwitch, ModelVersion
from scoring.services.registry.promotion import roll_back

# Less likely than this by its own forecast, in one tail.
FAR_OFF = 0.001
LOOK_BACK = 500

logger = logging.getLogger(__name__)


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
