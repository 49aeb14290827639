"""Restarts slow down when something keeps dying."""

from riskplatform.serving.backoff import Backoff


def test_delays_double_up_to_the_longest() -> None:
    backoff = Backoff(first_s=0.5, longest_s=5)
    delays = [backoff.next_delay_s(lived_s=1) for _ in range(6)]
    assert delays == [0.5, 1, 2, 4, 5, 5]


def test_a_calm_life_starts_the_delays_afresh() -> None:
    backoff = Backoff(first_s=0.5, calm_s=60)
    assert [backoff.next_delay_s(lived_s=life) for life in (1, 1, 60, 59.9)] == [
        *(0.5, 1.0, 0.5, 1.0)
    ]


def test_a_thousand_deaths_still_give_a_delay() -> None:
    backoff = Backoff(longest_s=30, deaths=1_000)
    assert backoff.next_delay_s(lived_s=0) == 30
