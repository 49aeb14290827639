from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.engine.errors import EngineError
from scoring.engine.state import DAY_S, SCALES_S, ExcitationState

Event = tuple[int, float, float]
events = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.floats(0.0, 30.0 * DAY_S, allow_nan=False),
        st.floats(0.1, 50.0, allow_nan=False),
    ),
    min_size=1,
    max_size=30,
)
NOW_S = 31.0 * DAY_S


def _state_of(events: list[Event]) -> ExcitationState:
    state = ExcitationState(4)
    for cell, occurred_s, weight in events:
        state.add([cell], [occurred_s], weight=[weight])
    return state


def _by_definition(events: list[Event], scale_s: float) -> list[float]:
    sums = [0.0] * 4
    for cell, occurred_s, weight in events:
        sums[cell] += weight * float(np.exp(-(NOW_S - occurred_s) / scale_s))
    return sums


@given(events, st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_state(
    happened: list[Event], random: Random
) -> None:
    shuffled = list(happened)
    random.shuffle(shuffled)

    ordered = _state_of(sorted(happened, key=lambda event: event[1])).read(NOW_S)

    np.testing.assert_allclose(_state_of(shuffled).read(NOW_S), ordered, rtol=1e-9)


@given(events)
def test_reads_the_defining_sum(happened: list[Event]) -> None:
    read = _state_of(happened).read(NOW_S)

    for scale, scale_s in enumerate(SCALES_S):
        expected = _by_definition(happened, scale_s)
        np.testing.assert_allclose(read[:, scale], expected, rtol=1e-9)


@given(events, st.integers(0, 29))
def test_retracting_gives_the_state_without_the_event(
    happened: list[Event], position: int
) -> None:
    cell, occurred_s, weight = happened[position % len(happened)]
    state = _state_of(happened)

    state.retract([cell], [occurred_s], weight=[weight])

    rest = list(happened)
    rest.remove((cell, occurred_s, weight))
    expected = _state_of(rest).read(NOW_S) if rest else np.zeros((4, len(SCALES_S)))
    # What is left of a cancelled sum is rounding of the sum itself.
    largest = sum(event[2] for event in happened)
    np.testing.assert_allclose(
        state.read(NOW_S), expected, rtol=1e-9, atol=1e-13 * largest
    )


def test_one_batch_equals_one_by_one() -> None:
    rng = np.random.default_rng(3)
    cells = rng.integers(0, 4, 200)
    times = rng.uniform(0, 30 * DAY_S, 200)
    batch = ExcitationState(4)
    batch.add(cells, times)

    single = _state_of(
        [(int(c), float(t), 1.0) for c, t in zip(cells, times, strict=True)]
    )

    np.testing.assert_allclose(batch.read(NOW_S), single.read(NOW_S), rtol=1e-10)


def test_refuses_to_read_the_past() -> None:
    state = _state_of([(0, 5 * DAY_S, 1.0)])

    with pytest.raises(EngineError, match="newer than the instant"):
        state.read(4 * DAY_S)
