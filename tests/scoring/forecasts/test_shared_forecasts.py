"""What requests share of a forecast is what each would compute for itself."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from perf.switches import Switch
from scoring.arrays import named_arrays
from scoring.metrics import INFERENCE_CALLS, Inference
from scoring.models import Forecast, ForecastArrays, Region
from scoring.selectors import forecasts
from scoring.selectors.assessment_inputs import forget_inputs, load_scenarios
from scoring.selectors.forecasts import get_columns
from scoring.services.forecasts import snapshots
from scoring.services.forecasts.snapshots import ScoredCells, score_cells
from tests.support.factories import DAY_S

pytestmark = pytest.mark.django_db
PLAIN = frozenset({Switch.MODELS, Switch.VALUES})


@pytest.fixture
def forecast(published_forecast: Region) -> Forecast:
    return Forecast.objects.get(region=published_forecast, horizon_sec=DAY_S)


@pytest.fixture
def cells(forecast: Forecast) -> list[int]:
    return [int(cell) for cell in get_columns(forecast).cells[5:9]]


@contextmanager
def calls_of(kind: Inference) -> Iterator[list[float]]:
    counter: Any = INFERENCE_CALLS.labels(kind)
    calls: list[float] = []
    before = counter._value.get()
    yield calls
    calls.append(counter._value.get() - before)


def score(forecast: Forecast, cells: list[int], n_scenarios: int = 20) -> ScoredCells:
    return score_cells(
        forecast, cells=cells, features=[None] * len(cells), n_scenarios=n_scenarios
    )


def spelled_out(scored: ScoredCells) -> list[bytes]:
    columns = named_arrays(scored.columns).values()
    return [scored.risk_values.tobytes("A"), *(array.tobytes() for array in columns)]


def other_process() -> None:
    """Let go of what this process has in memory; another has only the files."""
    snapshots.DRAWS.close()
    forecasts.COLUMNS.close()
    forget_inputs()


def test_a_draw_is_made_once_and_cut_for_everybody(
    forecast: Forecast, cells: list[int]
) -> None:
    with calls_of(Inference.SCENARIOS) as draws:
        for asked in (cells, cells[:1], cells[::-1]):
            score(forecast, asked)
            other_process()
    assert draws == [1]


def test_scores_are_byte_by_byte_the_same_with_and_without(
    forecast: Forecast, cells: list[int], settings: LazySettings
) -> None:
    made, kept = score(forecast, cells), score(forecast, cells)
    other_process()
    mapped = score(forecast, cells)
    settings.PERFORMANCE_OFF = PLAIN
    with calls_of(Inference.SCENARIOS) as draws:
        plain = score(forecast, cells)
    assert draws == [1]
    answers = [spelled_out(scored) for scored in (made, kept, mapped, plain)]
    assert answers == [answers[0]] * 4


def test_answers_over_http_are_byte_by_byte_the_same(
    forecast: Forecast, cells: list[int], settings: LazySettings, stranger: Client
) -> None:
    body = {
        "region": "chicago",
        "time": "2024-01-02T00:00:00Z",
        "horizon_sec": DAY_S,
        "cells": [{"cell_id": cell} for cell in cells],
    }
    answers = []
    for off in (frozenset[Switch](), frozenset[Switch](), PLAIN):
        settings.PERFORMANCE_OFF = off
        response = stranger.post(
            "/api/v1/score-snapshot", body, content_type="application/json"
        )
        assert response.status_code == 200
        answers.append(response.content)
    assert answers == [answers[0]] * 3


def test_columns_and_scenarios_are_read_from_the_database_once(
    forecast: Forecast,
) -> None:
    get_columns(forecast)
    load_scenarios(forecast)
    other_process()
    with CaptureQueriesContext(connections["default"]) as queries:
        columns = get_columns(forecast)
        scenarios = load_scenarios(forecast)
    assert len(queries) == 0
    with pytest.raises(ValueError, match="read-only"):
        columns.p_event[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        scenarios.events.start[0] = 1


def test_scenarios_are_the_same_with_and_without(
    forecast: Forecast, settings: LazySettings
) -> None:
    load_scenarios(forecast)
    other_process()
    shared = load_scenarios(forecast)
    settings.PERFORMANCE_OFF = PLAIN
    plain = load_scenarios(forecast)
    assert shared.digest == plain.digest
    assert shared.events.n_scenarios == plain.events.n_scenarios
    np.testing.assert_array_equal(shared.events.start, plain.events.start)
    np.testing.assert_array_equal(shared.events.mark, plain.events.mark)


def test_a_forecast_that_was_deleted_is_not_found(
    forecast: Forecast, cells: list[int], stranger: Client
) -> None:
    query = f"/api/v1/risk-map?region=chicago&horizon_sec={DAY_S}"
    assert stranger.get(query).status_code == 200
    Forecast.objects.all().delete()
    assert not ForecastArrays.objects.exists()
    assert stranger.get(query).status_code == 404


def test_threads_that_ask_at_once_share_one_draw(
    forecast: Forecast, cells: list[int]
) -> None:
    get_columns(forecast)
    with calls_of(Inference.SCENARIOS) as draws, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: score(forecast, cells, 21), range(8)))
    assert draws == [1]
