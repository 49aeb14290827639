"""Early events are left out where the record would else be mostly empty."""

import numpy as np
import pytest

from scoring.engine.arrays import Floats
from scoring.engine.events import build_history
from scoring.engine.outliers import without_outliers
from scoring.engine.state import DAY_S
from tests.scoring.engine.regions import START_S, make_grid

GRID = make_grid(radius=0)


def left_out(days: Floats) -> list[float]:
    """Give the days that are left out of a record of such days."""
    cells = np.full(days.size, GRID.cells[0])
    record = without_outliers(build_history(GRID, cells, START_S + days * DAY_S))
    assert len(record.history) + record.left_out_s.size == days.size
    found: list[float] = ((record.left_out_s - START_S) / DAY_S).tolist()
    return found


def steady(n_days: float, *, events: int = 300, start: float = 0.0) -> Floats:
    return start + np.linspace(0.0, n_days, events)


@pytest.mark.parametrize(
    "early",
    [[-19_000.0], [-44_000.0, -19_000.0], [-300.0], [-19_000.0] * 130],
    ids=["1970", "1900 and 1970", "some months", "placeholders"],
)
def test_points_far_before_a_record_are_left_out(early: list[float]) -> None:
    assert left_out(np.append(early, steady(100))) == pytest.approx(early)


def test_the_part_of_a_record_before_a_long_gap_is_left_out() -> None:
    before, after = steady(90, events=200), steady(200, events=300, start=2_000)
    assert len(left_out(np.append(before, after))) == 200


@pytest.mark.parametrize(
    "days",
    [
        steady(1_000),
        np.append(-100.0, steady(60)),
        np.append(steady(1_500, events=10), steady(3, events=290, start=1_500)),
        np.append(steady(400), [3_000.0, 3_001.0]),
        np.append(steady(400), steady(20, events=40, start=3_000)),
        np.zeros(300),
        np.array([0.0]),
        np.zeros(0),
    ],
    ids=[
        *("steady", "a gap of months", "a swarm at the end", "a late point"),
        *("a feed that has just resumed", "one instant", "one event", "none"),
    ],
)
def test_nothing_else_is_left_out(days: Floats) -> None:
    assert left_out(days) == []
