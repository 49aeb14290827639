"""Requests wait for a restart, not through an outage."""

import pytest

from perf.connections.retry_timeout import RetryTimeout


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def advance(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def retry_timeout(clock: Clock) -> RetryTimeout:
    return RetryTimeout(timeout_s=5.0, clock=lambda: clock.now_s, pause=clock.advance)


def test_it_waits_until_the_server_is_back(
    retry_timeout: RetryTimeout, clock: Clock
) -> None:
    assert retry_timeout.wait_until(lambda: clock.now_s >= 103.0)


def test_it_gives_up_at_its_end(retry_timeout: RetryTimeout, clock: Clock) -> None:
    assert not retry_timeout.wait_until(lambda: False)
    assert clock.now_s == pytest.approx(105.0, abs=0.1)


def test_in_a_long_outage_nobody_waits_again(
    retry_timeout: RetryTimeout, clock: Clock
) -> None:
    retry_timeout.wait_until(lambda: False)
    gave_up_s = clock.now_s

    assert not retry_timeout.wait_until(lambda: False)
    assert clock.now_s == gave_up_s


def test_the_next_outage_is_waited_for_again(
    retry_timeout: RetryTimeout, clock: Clock
) -> None:
    retry_timeout.wait_until(lambda: False)
    clock.advance(6.0)
    due_s = clock.now_s + 3.0

    assert retry_timeout.wait_until(lambda: clock.now_s >= due_s)
