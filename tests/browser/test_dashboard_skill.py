"""The back-test beside the map says what the stored report says."""

from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from scoring.models import ModelVersion, Region
from tests.browser.chromium import Page
from tests.browser.dashboard_page import IS_READY

BACKTEST_TEXT = "document.getElementById('backtest').textContent"

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_without_a_report_it_says_so(dashboard: Page) -> None:
    text = dashboard.evaluate(BACKTEST_TEXT)

    assert text == "No back-test is stored for this model version."


def test_a_report_is_shown_beside_its_baseline(
    live_server: LiveServer, published_forecast: Region, page: Page
) -> None:
    report = make_report(low=0.02)
    ModelVersion.objects.update(skill={"86400": report})

    page.open(live_server.url)
    page.wait_for(IS_READY)

    text = str(page.evaluate(BACKTEST_TEXT))
    assert "This model31.2 %Long-run count26.8 %" in text
    assert "+0.06 nats an event (95 % interval +0.02 to +0.09): better than" in text
    assert "389 events in 90 windows, 1 Oct 2023 to 30 Dec 2023" in text


def test_a_gain_within_chance_is_not_called_better(
    live_server: LiveServer, published_forecast: Region, page: Page
) -> None:
    report = make_report(low=-0.01)
    ModelVersion.objects.update(skill={"86400": report})

    page.open(live_server.url)
    page.wait_for(IS_READY)

    text = str(page.evaluate(BACKTEST_TEXT))
    assert "interval \N{MINUS SIGN}0.01 to +0.09): not told apart from" in text


def test_a_gain_of_few_windows_has_no_interval(
    live_server: LiveServer, published_forecast: Region, page: Page
) -> None:
    report = make_report(low=None, high=None)
    ModelVersion.objects.update(skill={"86400": report})

    page.open(live_server.url)
    page.wait_for(IS_READY)

    text = str(page.evaluate(BACKTEST_TEXT))
    assert "(too few windows for an interval): not told apart from" in text


def make_report(*, low: float | None, high: float | None = 0.09) -> dict[str, Any]:
    """Write what `BacktestReport.as_dict` gives, as far as the page reads it."""
    return {
        "horizon_s": 86_400.0,
        "n_origins": 90,
        "n_events": 389,
        "first_origin_s": 1_696_187_520.0,
        "last_origin_s": 1_703_877_120.0,
        "models": [
            {"kind": "poisson_glm", "hit_rate": {"0.05": 0.312}},
            {"kind": "long_run_count", "hit_rate": {"0.05": 0.268}},
        ],
        "information_gain": {
            "long_run_count": {"value": 0.06, "low": low, "high": high}
        },
    }
