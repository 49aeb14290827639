"""What was asked for is known the second time; what was not is hardly ever taken so."""

from hypothesis import given
from hypothesis import strategies as st

from perf.cache.doorkeeper import MAX_KEYS, Doorkeeper


@given(st.lists(st.text(), unique=True, max_size=200))
def test_each_key_is_first_once(keys: list[str]) -> None:
    doorkeeper = Doorkeeper()
    asked = [(key,) for key in keys]
    first = [doorkeeper.is_first(key) for key in asked]
    # With so few keys none is mistaken for another, but for a chance of 1 in 10^9.
    assert first == [True] * len(keys)
    assert not any(doorkeeper.is_first(key) for key in asked)


def test_few_new_keys_look_known_before_it_is_emptied() -> None:
    doorkeeper = Doorkeeper()
    mistaken = sum(not doorkeeper.is_first(("a", n)) for n in range(MAX_KEYS))
    assert mistaken < MAX_KEYS * 0.02


def test_it_is_emptied_when_it_is_full() -> None:
    doorkeeper = Doorkeeper()
    for number in range(2 * MAX_KEYS):
        doorkeeper.is_first(("b", number))
    assert doorkeeper.is_first(("b", 0))
