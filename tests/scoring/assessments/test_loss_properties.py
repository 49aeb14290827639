from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.engine.exposures import build_table, damage_ratios
from scoring.engine.losses import (
    PortfolioLosses,
    by_cell,
    losses_of,
    mean_by_asset,
    mean_loss_of_asset,
    mean_loss_of_groups,
)
from scoring.engine.tails import tail_of, tail_weights
from tests.scoring.assessments.portfolios_of_losses import (
    AssetRow,
    EventRow,
    insured,
    losses_one_by_one,
    scenario_set,
)

N_SCENARIOS, N_CELLS = 12, 3
CURVES = [
    (np.array([0.0, 2.0, 9.0]), np.array([0.0, 0.5, 0.9])),
    (np.array([1.0, 3.0]), np.array([0.2, 1.0])),
]
RATIOS = damage_ratios(CURVES, np.array([0.0, 0.5, 1.0, 2.0, 2.5, 4.0, 8.0]))

money = st.integers(0, 1_000).map(float)
asset_rows = st.lists(
    st.tuples(
        st.integers(0, N_CELLS - 1),
        st.integers(-1, len(CURVES) - 1),
        money,
        money,
        money | st.just(float("inf")),
    ),
    min_size=1,
    max_size=8,
)
# One event a step, so that there is only one order in time.
event_rows = st.lists(
    st.tuples(
        st.integers(0, N_SCENARIOS - 1),
        st.integers(0, 9),
        st.integers(0, N_CELLS - 1),
        st.floats(0, 1, exclude_max=True, width=32),
    ),
    max_size=40,
    unique_by=lambda row: row[:2],
)
quantiles = st.floats(0.001, 0.999)
unhurried = settings(deadline=None)


def losses(events: list[EventRow], assets: list[AssetRow]) -> PortfolioLosses:
    scenarios = scenario_set(events, n_scenarios=N_SCENARIOS, n_cells=N_CELLS)
    return losses_of(by_cell(scenarios), build_table(insured(assets)), RATIOS)


@unhurried
@given(event_rows, asset_rows)
def test_groups_lose_what_their_assets_lose_one_by_one(
    events: list[EventRow], assets: list[AssetRow]
) -> None:
    found = losses(events, assets)
    by_asset, largest = losses_one_by_one(
        events, assets, RATIOS, n_scenarios=N_SCENARIOS
    )
    assert found.total == pytest.approx(by_asset.sum(axis=1), abs=1e-8)
    assert found.largest == pytest.approx(largest, abs=1e-8)
    weights = np.linspace(0.0, 1.0, N_SCENARIOS)
    means = mean_by_asset(found, build_table(insured(assets)), weights)
    assert means == pytest.approx(weights @ by_asset, abs=1e-8)


@unhurried
@given(event_rows, asset_rows)
def test_expected_losses_add_up_by_asset_and_by_group(
    events: list[EventRow], assets: list[AssetRow]
) -> None:
    found, table = losses(events, assets), build_table(insured(assets))
    by_asset = [mean_loss_of_asset(found, table, row) for row in range(len(assets))]
    groups = np.arange(table.group_cell.size)
    assert sum(by_asset) == pytest.approx(found.total.mean(), abs=1e-8)
    expected = pytest.approx(found.total.mean(), abs=1e-8)
    assert mean_loss_of_groups(found, groups) == expected


@unhurried
@given(event_rows, asset_rows, quantiles)
def test_contributions_add_up_to_the_mean_of_the_tail(
    events: list[EventRow], assets: list[AssetRow], quantile: float
) -> None:
    found = losses(events, assets)
    tail = tail_of(found.total, quantile)
    weights = tail_weights(found.total, quantile)
    table = build_table(insured(assets))
    contributions = mean_by_asset(found, table, weights)
    assert contributions.sum() == pytest.approx(tail.tvar, rel=1e-9, abs=1e-8)


@unhurried
@given(event_rows, asset_rows)
def test_an_asset_loses_no_more_than_its_value(
    events: list[EventRow], assets: list[AssetRow]
) -> None:
    at_stake = sum(max(value - terms, 0.0) for _, _, value, terms, _ in assets)
    found = losses(events, assets)
    assert found.total.min() >= 0.0
    assert found.total.max() <= sum(asset[2] for asset in assets) + 1e-8
    assert found.largest.max() <= at_stake + 1e-8
    assert np.all(found.largest <= found.total + 1e-8)


@unhurried
@given(event_rows, asset_rows, st.sampled_from([0.01, 2.0, 1e6]))
def test_losses_scale_with_money(
    events: list[EventRow], assets: list[AssetRow], factor: float
) -> None:
    scaled = [
        (cell, curve, factor * value, factor * deductible, factor * limit)
        for cell, curve, value, deductible, limit in assets
    ]
    expected = factor * losses(events, assets).total
    found = losses(events, scaled).total
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-8 * factor)


@unhurried
@given(event_rows, asset_rows, st.randoms(use_true_random=False))
def test_the_order_of_assets_changes_nothing(
    events: list[EventRow], assets: list[AssetRow], random: Random
) -> None:
    shuffled = list(assets)
    random.shuffle(shuffled)
    assert losses(events, shuffled).total == pytest.approx(
        losses(events, assets).total, abs=1e-8
    )


@unhurried
@given(event_rows, asset_rows, money)
def test_a_higher_deductible_never_costs_more(
    events: list[EventRow], assets: list[AssetRow], more: float
) -> None:
    raised = [
        (cell, curve, value, deductible + more, limit)
        for cell, curve, value, deductible, limit in assets
    ]
    found = losses(events, raised).total
    assert np.all(found <= losses(events, assets).total + 1e-8)


@unhurried
@given(event_rows, asset_rows)
def test_losses_are_the_same_when_no_hit_is_kept(
    events: list[EventRow], assets: list[AssetRow]
) -> None:
    table, weights = build_table(insured(assets)), np.linspace(0.0, 1.0, N_SCENARIOS)
    kept = losses(events, assets)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scoring.engine.losses.MOST_KEPT_HITS", -1)
        patch.setattr("scoring.engine.losses.HITS_PER_BLOCK", 2)
        made = losses(events, assets)
        means = mean_by_asset(made, table, weights)
    assert made.total == pytest.approx(kept.total, abs=1e-9)
    assert made.largest == pytest.approx(kept.largest, abs=1e-9)
    assert made.mean_by_group == pytest.approx(kept.mean_by_group, abs=1e-9)
    assert means == pytest.approx(mean_by_asset(kept, table, weights), abs=1e-9)
