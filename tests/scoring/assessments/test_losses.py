import numpy as np
import pytest

from scoring.engine.errors import EngineError
from scoring.engine.exposures import NO_CURVE, build_table, damage_ratios
from scoring.engine.losses import PortfolioLosses, by_cell, losses_of, mean_by_asset
from tests.scoring.assessments.portfolios_of_losses import (
    AssetRow,
    EventRow,
    insured,
    scenario_set,
)

INF = float("inf")
NOTHING = np.zeros(0)
RAMP = (np.array([0.0, 10.0]), np.array([0.0, 1.0]))
# Ranks 0, 0.25, 0.5 and 0.75 destroy 10, 20, 50 and 80 per cent on the ramp.
SEVERITIES = np.array([1.0, 2.0, 5.0, 8.0])


def losses(events: list[EventRow], assets: list[AssetRow]) -> PortfolioLosses:
    scenarios = scenario_set(events, n_scenarios=3, n_cells=2)
    table = build_table(insured(assets))
    return losses_of(by_cell(scenarios), table, damage_ratios([RAMP], SEVERITIES))


def test_an_event_takes_the_whole_value_of_an_asset_without_a_curve() -> None:
    found = losses([(1, 0, 0, 0.3)], [(0, NO_CURVE, 100.0, 0.0, INF)])
    assert found.total.tolist() == [0.0, 100.0, 0.0]
    assert found.largest.tolist() == [0.0, 100.0, 0.0]


def test_an_event_in_another_cell_costs_nothing() -> None:
    found = losses([(1, 0, 1, 0.3)], [(0, NO_CURVE, 100.0, 0.0, INF)])
    assert found.total.tolist() == [0.0, 0.0, 0.0]


def test_a_portfolio_without_any_event_costs_nothing() -> None:
    found = losses([], [(0, NO_CURVE, 100.0, 0.0, INF)])
    assert found.total.tolist() == [0.0, 0.0, 0.0]
    assert found.largest.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("mark", "loss"), [(0.0, 0.0), (0.25, 10.0), (0.5, 40.0), (0.75, 60.0)]
)
def test_deductible_and_limit_apply_to_each_event(mark: float, loss: float) -> None:
    found = losses([(2, 0, 0, mark)], [(0, 0, 100.0, 10.0, 60.0)])
    assert found.total.tolist() == pytest.approx([0.0, 0.0, loss])


def test_later_events_take_what_earlier_ones_left() -> None:
    """80 % and 20 % of the value, and nothing: it is not rebuilt in between."""
    events = [(0, 2, 0, 0.5), (0, 1, 0, 0.75), (0, 5, 0, 0.75)]
    found = losses(events, [(0, 0, 100.0, 0.0, INF)])
    assert found.total[0] == pytest.approx(100.0)
    assert found.largest[0] == pytest.approx(80.0)


def test_the_deductible_is_borne_in_every_event() -> None:
    events = [(0, 1, 0, 0.5), (0, 2, 0, 0.25)]
    found = losses(events, [(0, 0, 100.0, 15.0, INF)])
    assert found.total[0] == pytest.approx(35.0 + 5.0)
    assert found.largest[0] == pytest.approx(35.0)


def test_assets_of_a_cell_share_its_events_whatever_their_curves() -> None:
    assets = [
        (0, 0, 100.0, 0.0, INF),
        (0, NO_CURVE, 40.0, 10.0, INF),
        (0, 0, 200.0, 50.0, 20.0),
        (1, 0, 1_000.0, 0.0, INF),
    ]
    found = losses([(0, 0, 0, 0.5), (1, 0, 1, 0.25)], assets)
    assert found.total.tolist() == pytest.approx([50.0 + 30.0 + 20.0, 200.0, 0.0])
    assert found.largest.tolist() == pytest.approx(found.total.tolist())


def test_means_by_asset_weigh_scenarios() -> None:
    assets: list[AssetRow] = [
        (0, 0, 100.0, 10.0, 60.0),
        (0, 0, 300.0, 0.0, 120.0),
        (1, NO_CURVE, 7.0, 0.0, INF),
        (1, NO_CURVE, 7.0, 8.0, INF),
        (1, NO_CURVE, 0.0, 0.0, INF),
    ]
    events = [(0, 0, 0, 0.25), (1, 0, 0, 0.75), (1, 0, 1, 0.0), (2, 0, 0, 0.5)]
    table = build_table(insured(assets))
    weights = np.array([0.5, 0.25, 0.0])
    means = mean_by_asset(losses(events, assets), table, weights)
    expected = [0.5 * 10 + 0.25 * 60, 0.5 * 60 + 0.25 * 120, 0.25 * 7, 0.0, 0.0]
    assert means.tolist() == pytest.approx(expected, abs=1e-12)


def test_curves_are_linear_in_between_and_constant_beyond() -> None:
    curve = (np.array([4.0, 6.0]), np.array([0.1, 0.5]))
    ratios = damage_ratios([curve], np.array([3.0, 4.0, 5.0, 9.0]))
    assert ratios[0].tolist() == pytest.approx([0.1, 0.1, 0.3, 0.5])
    assert ratios[NO_CURVE].tolist() == [1.0, 1.0, 1.0, 1.0]


def test_without_severities_every_event_has_severity_one() -> None:
    ratios = damage_ratios([RAMP], NOTHING)
    assert ratios.tolist() == [[0.1], [1.0]]


def test_a_mark_that_rounds_to_one_has_the_highest_rank() -> None:
    found = losses([(0, 0, 0, 1.0)], [(0, 0, 100.0, 0.0, INF)])
    assert found.total[0] == pytest.approx(80.0)


@pytest.mark.parametrize(
    "row",
    [
        (0, NO_CURVE, -1.0, 0.0, INF),
        (0, NO_CURVE, float("nan"), 0.0, INF),
        (0, NO_CURVE, 1.0, INF, INF),
        (0, NO_CURVE, 1.0, 0.0, -1.0),
    ],
)
def test_refuses_values_that_are_no_money(row: AssetRow) -> None:
    with pytest.raises(EngineError, match="numbers from 0 on"):
        build_table(insured([row]))


def test_refuses_curves_that_destroy_more_than_there_is() -> None:
    with pytest.raises(EngineError, match="from 0 to 1"):
        damage_ratios([(np.array([0.0, 1.0]), np.array([0.0, 1.5]))], SEVERITIES)
