"""The structure of the four plots of a back-test; how they look is for eyes."""

import numpy as np
import pytest

from riskplatform.kernel.svg import PALETTE, linear_axis
from scoring.engine.report import Reliability
from scoring.evaluation.backtests.plots import (
    CURVE_SHARES,
    OUTSIDE,
    NumberSeries,
    accuracy_plot,
    number_plot,
    reliability_plot,
    transform_plot,
)
from tests.scoring.evaluation.svg_reading import marks_of, words_of


def test_reliability_has_a_point_and_a_count_for_each_bin() -> None:
    bins = Reliability(
        forecast=(0.001, 0.01, 0.2),
        frequency=(0.0, 0.02, 0.19),
        share=(0.5, 0.3, 0.2),
        transform=(0.1,) * 10,
    )
    half_widths = np.array([0.002, 0.01, 0.05])
    svg = reliability_plot(bins, half_widths, n_cases=1_000, title="Reliability, A & B")
    assert marks_of(svg)[f"circle {PALETTE[0]}"] == 3
    words = words_of(svg)
    assert words[0] == "Reliability, A & B"
    assert {"forecast probability of an event", "observed frequency"} < set(words)
    assert words[-3:] == ["0", "6", "38"]


def test_the_accuracy_plot_has_a_named_line_for_each_model() -> None:
    falling = 1.0 / np.array(CURVE_SHARES)
    svg = accuracy_plot({"ensemble": falling, "count": falling / 2}, title="PAI")
    marks = marks_of(svg)
    assert marks[f"polyline {PALETTE[0]}"] == marks[f"polyline {PALETTE[1]}"] == 1
    words = words_of(svg)
    assert words[-2:] == ["ensemble", "count"]
    assert {"flagged share of the area (%)", "PAI (ratio)", "0.5", "100"} < set(words)


def test_the_number_plot_marks_windows_outside_the_band() -> None:
    series = NumberSeries(
        origins_s=1_700_000_000.0 + 86_400.0 * np.arange(4, dtype=np.float64),
        expected=np.full(4, 3.0),
        low=np.full(4, 1.0),
        high=np.full(4, 6.0),
        observed=np.array([0.0, 1.0, 6.0, 7.0]),
    )
    svg = number_plot(series, title="Numbers")
    marks = marks_of(svg)
    assert (marks["circle #222222"], marks[f"circle {OUTSIDE}"]) == (2, 2)
    assert marks[f"polygon {PALETTE[5]}"] == 1
    assert "N-test passed in 2 of 4 windows (50 %; 95 % is right)." in words_of(svg)


def test_the_transform_plot_has_a_bar_a_bin_and_a_line_for_the_region() -> None:
    svg = transform_plot([0.1] * 10, [0.2] * 5 + [0.0] * 5, title="PIT")
    marks = marks_of(svg)
    # One more rectangle is the key of the legend.
    assert marks[f"rect {PALETTE[5]}"] == 10 + 1
    assert marks[f"polyline {PALETTE[1]}"] == 1
    assert {"probability integral transform", "share of cases"} < set(words_of(svg))


@pytest.mark.parametrize(
    ("low", "high", "first", "last"),
    [(0.0, 43.0, "0", "50"), (0.0, 0.0, "0", "0"), (-1.2, 3.4, "-2", "4")],
)
def test_an_axis_ends_on_round_numbers(
    low: float, high: float, first: str, last: str
) -> None:
    ticks = linear_axis("events", low, high).ticks
    assert (ticks[0][1], ticks[-1][1]) == (first, last)
