from collections.abc import Callable
from uuid import UUID, uuid4

import msgspec
import numpy as np
import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from perf.cache.codecs import Codec, arrays_of, msgpack_of
from perf.cache.tallies import Outcome, snapshot
from perf.cache.values import ValueCache
from perf.switches import Switch
from tests.perf.cache.keeping import Clock, Counted, count_of, fresh_parts, int_cache
from tests.perf.waiting import wait_until


class Risk(msgspec.Struct, frozen=True):
    cell: int
    p_event: float
    names: list[str]
    of: UUID


RISKS = st.builds(
    Risk,
    cell=st.integers(0, 2**64 - 1),
    p_event=st.floats(allow_nan=False),
    names=st.lists(st.text()),
    of=st.uuids(),
)


def test_a_value_is_computed_once() -> None:
    cache, compute, parts = int_cache(), Counted(), fresh_parts()
    assert [cache.get_or_compute(parts, compute) for _ in range(3)] == [1, 1, 1]
    assert count_of(cache, Outcome.MISS) == 1
    assert count_of(cache, Outcome.HIT) == 2
    assert snapshot()["test"]["miss"] >= 1


def test_other_parts_are_another_value() -> None:
    cache, compute = int_cache(), Counted()
    alike = [(1,), (1.5,), ("1",), (True,), (b"1",), ((1,),), (1, None), (None, 1)]
    base = uuid4().hex
    values = [cache.get_or_compute((base, *parts), compute) for parts in alike]
    assert values == list(range(1, len(alike) + 1))


@given_settings(deadline=None)
@given(risk=RISKS)
def test_what_is_kept_is_byte_by_byte_what_was_computed(risk: Risk) -> None:
    cache = ValueCache("test", codec=msgpack_of(Risk), schema=1, ttl_s=100.0)
    parts = fresh_parts()
    encoded = [
        msgspec.json.encode(cache.get_or_compute(parts, lambda: risk)) for _ in range(2)
    ]
    assert encoded == [msgspec.json.encode(risk)] * 2
    assert count_of(cache, Outcome.HIT) == 1


def test_that_there_is_nothing_is_kept_for_a_short_time() -> None:
    clock = Clock()
    codec: Codec[int | None] = msgpack_of(int | None)  # type: ignore[arg-type]  # a union is a type to msgspec
    cache = ValueCache(
        "test",
        codec=codec,
        schema=1,
        ttl_s=100.0,
        may_be_none=True,
        nothing_ttl_s=10.0,
        clock=clock,
    )
    calls: list[None] = []
    parts = fresh_parts()

    def nothing() -> int | None:
        calls.append(None)
        return None

    assert [cache.get_or_compute(parts, nothing) for _ in range(2)] == [None, None]
    clock.now_s += 11.0 + cache.stale_s
    assert cache.get_or_compute(parts, nothing) is None
    assert len(calls) == 2


def test_past_its_time_a_value_is_given_while_it_is_renewed() -> None:
    clock, compute, parts = Clock(), Counted(), fresh_parts()
    cache = int_cache(clock=clock)
    cache.get_or_compute(parts, compute)
    clock.now_s += 115.0
    assert cache.get_or_compute(parts, compute) == 1
    assert count_of(cache, Outcome.STALE) == 1
    wait_until(lambda: cache.get_or_compute(parts, compute) == 2)
    assert compute.calls == 2


def test_long_past_its_time_a_value_is_gone() -> None:
    clock, compute, parts = Clock(), Counted(), fresh_parts()
    cache = int_cache(clock=clock)
    cache.get_or_compute(parts, compute)
    clock.now_s += 111.0 + cache.stale_s
    assert cache.get_or_compute(parts, compute) == 2


def test_what_failed_is_not_kept() -> None:
    cache, parts = int_cache(), fresh_parts()
    with pytest.raises(ZeroDivisionError):
        cache.get_or_compute(parts, lambda: 1 // 0)
    assert cache.get_or_compute(parts, lambda: 5) == 5


def test_switched_off_everything_is_computed(settings: LazySettings) -> None:
    cache, compute, parts = int_cache(), Counted(), fresh_parts()
    cache.get_or_compute(parts, compute)
    settings.PERFORMANCE_OFF = frozenset({Switch.VALUES})
    assert [cache.get_or_compute(parts, compute) for _ in range(2)] == [2, 3]


@pytest.mark.parametrize(
    ("kept", "value"),
    [
        (
            ValueCache(
                "test", codec=msgpack_of(bytes), schema=1, ttl_s=9.0, max_bytes=10
            ),
            lambda: b"x" * 20,
        ),
        (
            ValueCache(
                "test",
                codec=arrays_of(lambda it: {"a": it}, lambda arrays: arrays["a"]),
                schema=1,
                ttl_s=9.0,
            ),
            lambda: np.array([{}], dtype=np.object_),
        ),
    ],
)
def test_what_is_too_large_or_of_no_known_kind_is_computed(
    kept: ValueCache[object], value: Callable[[], object]
) -> None:
    parts = fresh_parts()
    for _ in range(2):
        assert kept.get_or_compute(parts, value) == value()
    assert count_of(kept, Outcome.NOT_KEPT) == 2
