import pytest
from django.conf import settings

from perf.limits.routes import configured_routes
from riskplatform.env import EnvError, env_pairs
from riskplatform.request_limits import (
    COSTS,
    RATE_LIMITS,
    TIMEOUTS_S,
    configured_rate_limits,
    cost_limits,
    rate_limits,
    request_timeouts,
)


def test_pairs_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRS", "a=1, b = 2,")
    assert env_pairs("PAIRS", {"a": "0", "c": "3"}) == {"a": "1", "b": "2", "c": "3"}


@pytest.mark.parametrize("text", ["a", "a=", "=1", "a=1,b"])
def test_what_is_no_pair_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRS", text)
    with pytest.raises(EnvError, match="not key=value"):
        env_pairs("PAIRS")


def test_what_is_not_given_keeps_its_default() -> None:
    assert request_timeouts({}) == TIMEOUTS_S
    assert request_timeouts({"default": "2.5"}) == {**TIMEOUTS_S, "default": 2.5}


@pytest.mark.parametrize("text", ["soon", "0", "-1", "inf", "nan"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(EnvError, match="REQUEST_TIMEOUTS holds"):
        request_timeouts({"default": text})


def test_a_class_that_is_not_known_is_refused() -> None:
    with pytest.raises(EnvError, match="REQUEST_TIMEOUTS names address, evnts"):
        request_timeouts({"evnts": "1", "address": "1"})
    with pytest.raises(EnvError, match="RATE_LIMITS names evnts"):
        rate_limits({"evnts": "1/s", "address": "1/s"})


def test_costs_that_are_not_given_keep_their_default() -> None:
    assert cost_limits({}) == COSTS
    assert cost_limits({"values": "7"}) == {**COSTS, "values": 7}


@pytest.mark.parametrize("given", [{"bytes": "1"}, {"values": "-1"}, {"values": "1e6"}])
def test_what_is_no_cost_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(EnvError, match="COST_LIMITS"):
        cost_limits(given)


def test_limits_are_on_unless_they_are_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RATE_LIMITS", raising=False)
    assert configured_rate_limits() == RATE_LIMITS
    monkeypatch.setenv("RATE_LIMITS", "anonymous=5/min,address=off")
    changed = {**RATE_LIMITS, "anonymous": "5/min"}
    del changed["address"]
    assert configured_rate_limits() == changed
    monkeypatch.setenv("RATE_LIMITS", "off")
    assert configured_rate_limits() == {}


@pytest.mark.parametrize(
    ("path", "route_class"),
    [
        ("/api/v1/portfolios/7/assets/import", "imports"),
        ("/api/v1/portfolios/7/assets", "default"),
        ("/api/v1/events/export", "exports"),
        ("/api/v1/events", "events"),
        ("/api/v1/elsewhere/assets/import", "default"),
    ],
)
def test_a_path_has_the_class_of_its_beginning_and_end(
    path: str, route_class: str
) -> None:
    assert configured_routes().of(path) == route_class


def test_files_of_assets_may_be_larger_than_other_bodies() -> None:
    assert settings.LARGE_BODIES["imports"] > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert settings.REQUEST_TIMEOUTS["imports"] > settings.REQUEST_TIMEOUTS["default"]
