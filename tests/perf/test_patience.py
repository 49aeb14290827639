"""Requests wait for a restart, not through an outage."""

import pytest

from perf.connections.patience import Patience


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def advance(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def patience(clock: Clock) -> Patience:
    return Patience(patience_s=5.0, clock=lambda: clock.now_s, pause=clock.advance)


def test_it_waits_until_the_server_is_back(patience: Patience, clock: Clock) -> None:
    assert patience.outlast(lambda: clock.now_s >= 103.0)


def test_it_gives_up_at_its_end(patience: Patience, clock: Clock) -> None:
    assert not patience.outlast(lambda: False)
    assert clock.now_s == pytest.approx(105.0, abs=0.1)


def test_in_a_long_outage_nobody_waits_again(patience: Patience, clock: Clock) -> None:
    patience.outlast(lambda: False)
    gave_up_s = clock.now_s

    assert not patience.outlast(lambda: False)
    assert clock.now_s == gave_up_s


def test_the_next_outage_is_waited_for_again(patience: Patience, clock: Clock) -> None:
    patience.outlast(lambda: False)
    clock.advance(6.0)
    due_s = clock.now_s + 3.0

    assert patience.outlast(lambda: clock.now_s >= due_s)
