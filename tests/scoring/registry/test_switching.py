"""Readers go from one champion's forecasts to the other's at one moment."""

import pytest

from scoring.errors import ModelStateError, NoEarlierChampionError
from scoring.models import Forecast, ModelSwitch, ModelVersion
from scoring.selectors.forecasts import get_latest_forecast, list_latest_forecasts
from scoring.services.registry.promotion import (
    challenge,
    promote,
    roll_back,
    roll_back_failing_champions,
)
from tests.scoring.registry.versions import (
    day,
    make_rivals,
    make_run,
    make_scored_forecast,
    make_version,
)
from tests.support.factories import DAY_S, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

FORCED = "It is a test."


def test_the_forecasts_of_the_new_champion_are_served_at_once() -> None:
    region = make_region(rings=0)
    old, new = make_rivals(region)
    runs = [make_run(version, day(1)) for version in (new, old)]
    assert get_latest_forecast(region, horizon_sec=DAY_S) == runs[1]
    promote(new, actor="test", forced_because=FORCED)
    assert get_latest_forecast(region, horizon_sec=DAY_S) == runs[0]
    assert list(list_latest_forecasts(region)) == [runs[0]]
    assert Forecast.objects.served().count() == 2


def test_a_rollback_brings_back_the_champion_before_in_one_call() -> None:
    region = make_region(rings=0)
    old, new = make_rivals(region)
    runs = [make_run(version, day(1)) for version in (old, new)]
    champion = promote(new, actor="test", forced_because=FORCED).champion
    assert roll_back(champion, actor="test").champion == old
    assert get_latest_forecast(region, horizon_sec=DAY_S) == runs[0]
    new.refresh_from_db()
    assert new.state == "retired"
    reasons = list(ModelSwitch.objects.order_by("pk").values_list("reason", flat=True))
    assert reasons == ["promotion", "rollback"]


def test_rollbacks_go_further_back_and_never_to_and_fro() -> None:
    region = make_region(rings=0)
    first = make_version(region, number=1, state=ModelVersion.State.CANDIDATE)
    promote(first, actor="test")
    for number in (2, 3):
        version = make_version(
            region, number=number, state=ModelVersion.State.CANDIDATE
        )
        champion = promote(version, actor="test", forced_because=FORCED).champion
    champion = roll_back(champion, actor="test").champion
    assert champion.number == 2
    champion = roll_back(champion, actor="test").champion
    assert champion == first
    with pytest.raises(NoEarlierChampionError, match="is the first champion"):
        roll_back(champion, actor="test")


def test_only_a_champion_can_be_rolled_back() -> None:
    _, challenger = make_rivals(make_region(rings=0))
    with pytest.raises(ModelStateError, match="is challenger; this takes a champion"):
        roll_back(challenger, actor="test")


def test_a_decision_about_a_champion_does_not_outlive_it() -> None:
    region = make_region(rings=0)
    old, new = make_rivals(region)
    champion = promote(new, actor="test", forced_because=FORCED).champion
    stale = ModelVersion.objects.get(pk=champion.pk)
    roll_back(champion, actor="test")
    with pytest.raises(ModelStateError, match="is retired; this takes a champion"):
        roll_back(stale, actor="test")
    assert ModelVersion.objects.champions().get() == old


def test_a_region_has_three_challengers_at_most() -> None:
    region = make_region(rings=0)
    make_rivals(region)
    versions = [
        make_version(region, number=number, state=ModelVersion.State.CANDIDATE)
        for number in range(3, 6)
    ]
    assert challenge(versions[0]).state == "challenger"
    assert challenge(versions[1]).state == "challenger"
    with pytest.raises(ModelStateError, match="has 3 challengers"):
        challenge(versions[2])


@pytest.mark.parametrize(
    ("n_tests", "is_restored"),
    [([0.5, 0.0001, 0.0001], True), ([0.0001, 0.5, 0.0001], False), ([0.0001], False)],
)
def test_a_champion_that_fails_twice_in_a_row_is_rolled_back(
    n_tests: list[float], is_restored: bool
) -> None:
    region = make_region(rings=0)
    old, new = make_rivals(region)
    make_run(old, day(len(n_tests)))
    make_run(new, day(len(n_tests)))
    champion = promote(new, actor="test", forced_because=FORCED).champion
    for number, n_test in enumerate(n_tests):
        make_scored_forecast(champion, day(number - 5), n_test=n_test)
    restored = roll_back_failing_champions()
    assert restored == ([old] if is_restored else [])
    if is_restored:
        switch = ModelSwitch.objects.order_by("-pk")[0]
        assert switch.reason == "automatic rollback"
        assert [row["n_test_low"] for row in switch.figures["n_tests"]] == [1e-4, 1e-4]
        assert roll_back_failing_champions() == []
