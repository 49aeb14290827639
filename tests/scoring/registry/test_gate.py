"""A challenger becomes champion if its scored forecasts are better, and only then."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from scoring.errors import ModelStateError, PromotionRefusedError
from scoring.models import ForecastSkill, ModelSwitch, ModelVersion
from scoring.services.registry.promotion import promote
from tests.scoring.registry.versions import (
    OFF,
    day,
    make_rivals,
    make_scored_forecast,
    make_version,
)
from tests.support.factories import make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

Rivals = tuple[ModelVersion, ModelVersion]


@pytest.fixture
def rivals() -> Rivals:
    return make_rivals(make_region(rings=0))


def score(rivals: Rivals, days: int = 16, *, lead: float = 1.0, **theirs: Any) -> None:
    """Score both on the same days; the challenger leads by so many nats a day."""
    champion, challenger = rivals
    noise = np.random.default_rng(0).normal(scale=0.1, size=days)
    for number, better in enumerate(lead + noise - noise.mean()):
        make_scored_forecast(champion, day(number), log_score=-10.0)
        make_scored_forecast(
            challenger, day(number), log_score=-10.0 + better, **theirs
        )


def refusal(challenger: ModelVersion) -> dict[str, Any]:
    with pytest.raises(PromotionRefusedError) as caught:
        promote(challenger, actor="test")
    challenger.refresh_from_db()
    assert challenger.state == "challenger"
    assert not ModelSwitch.objects.exists()
    gate: dict[str, Any] = caught.value.context["gate"]
    return gate


def test_a_better_challenger_replaces_the_champion(rivals: Rivals) -> None:
    score(rivals)
    switched = promote(rivals[1], actor="test")
    champion, _ = rivals
    champion.refresh_from_db()
    assert (champion.state, switched.champion.state) == ("retired", "champion")
    assert switched.switch is not None
    assert switched.switch.reason == "promotion"
    figures = switched.switch.figures["horizons"][0]
    assert figures["window_count"] == 16
    assert figures["event_count"] == 80
    gain = figures["information_gain"]
    assert gain["value"] == pytest.approx(16 / 80)
    assert 0.17 < gain["low"] < gain["value"] < gain["high"] < 0.23


def test_one_that_is_no_better_is_refused_with_its_figures(rivals: Rivals) -> None:
    score(rivals, lead=0.0)
    gate = refusal(rivals[1])
    assert len(gate["failed"]) == 1
    assert gate["failed"][0].startswith("at 86400 s the gain's lower bound -0.0")
    assert gate["horizons"][0]["information_gain"]["low"] < 0


def test_one_that_is_better_but_less_calibrated_is_refused(rivals: Rivals) -> None:
    score(rivals, reliability=OFF)
    gate = refusal(rivals[1])
    assert gate["failed"] == (
        "at 86400 s the calibration error is 0.0810, the champion's 0.0000",
    )


def test_one_whose_totals_are_wrong_is_refused(rivals: Rivals) -> None:
    score(rivals, n_test=0.001)
    assert refusal(rivals[1])["failed"] == (
        "at 86400 s 16 N-tests failed, 0 of the champion's",
    )


def test_too_few_windows_are_no_evidence(rivals: Rivals) -> None:
    score(rivals, days=13)
    assert refusal(rivals[1])["failed"] == (
        "at 86400 s only 13 of 14 windows are scored",
    )


def test_windows_without_events_are_no_evidence(rivals: Rivals) -> None:
    score(rivals)
    quiet = ForecastSkill.objects.filter(forecast__issued_for__gte=day(3))
    quiet.update(observed_count=0)
    gate = refusal(rivals[1])
    assert gate["failed"] == (
        "at 86400 s too few windows have events for an interval of the gain",
    )
    gain = gate["horizons"][0]["information_gain"]
    assert (gain["low"], gain["high"]) == (None, None)


def test_windows_that_overlap_count_once(rivals: Rivals) -> None:
    for hours in range(0, 13 * 24, 6):
        for version, log_score in zip(rivals, (-10.0, -9.0), strict=True):
            moment = day(0) + timedelta(hours=hours)
            make_scored_forecast(version, moment, log_score=log_score)
    assert refusal(rivals[1])["horizons"][0]["window_count"] == 13


def test_what_lies_before_the_training_of_either_is_no_evidence(
    rivals: Rivals,
) -> None:
    score(rivals)
    ModelVersion.objects.filter(pk=rivals[0].pk).update(trained_until=day(14))
    assert refusal(rivals[1])["horizons"][0]["window_count"] == 2


def test_without_a_champion_there_is_no_gate() -> None:
    region = make_region(rings=0)
    version = make_version(region, number=1, state=ModelVersion.State.CANDIDATE)
    switched = promote(version, actor="test")
    assert switched.champion.state == "champion"
    assert ModelSwitch.objects.get().reason == "first"


def test_a_candidate_has_to_be_a_challenger_first(rivals: Rivals) -> None:
    candidate = make_version(
        rivals[0].region, number=3, state=ModelVersion.State.CANDIDATE
    )
    with pytest.raises(ModelStateError, match="is candidate; this takes a challenger"):
        promote(candidate, actor="test")
