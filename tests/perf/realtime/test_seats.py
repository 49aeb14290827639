"""Sockets are counted in all, by principal and by address."""

from contextlib import ExitStack

import pytest

from perf.realtime.closing import SocketClosedError
from perf.realtime.seats import SeatLimits, Seats


@pytest.mark.parametrize(
    ("limits", "who"),
    [
        (SeatLimits(in_all=2, per_principal=9, per_address=9), ("key 3", "c")),
        (SeatLimits(in_all=9, per_principal=2, per_address=9), ("key 1", "c")),
        (SeatLimits(in_all=9, per_principal=9, per_address=2), ("", "a")),
    ],
)
def test_one_too_many_is_refused_until_another_leaves(
    limits: SeatLimits, who: tuple[str, str]
) -> None:
    seats = Seats(limits)
    with ExitStack() as held:
        held.enter_context(seats.seat(principal="key 1", address="a"))
        held.enter_context(seats.seat(principal="key 1", address="a"))
        with pytest.raises(SocketClosedError) as refused:
            held.enter_context(seats.seat(principal=who[0], address=who[1]))
        assert refused.value.code == 4429
    with seats.seat(principal=who[0], address=who[1]):
        assert seats.taken == 1
    assert (seats.taken, dict(seats._of)) == (0, {})


def test_nobody_in_particular_is_counted_by_address_only() -> None:
    seats = Seats(SeatLimits(in_all=9, per_principal=1, per_address=9))
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(seats.seat(principal="", address="a"))
        assert seats.taken == 3
