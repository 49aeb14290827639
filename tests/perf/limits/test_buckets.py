"""The arithmetic of token buckets holds for any way of asking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf.limits.buckets import Bucket, Limit, parse_limit

limits = st.builds(
    Limit,
    name=st.just("default"),
    n_requests=st.integers(1, 10_000),
    period_s=st.sampled_from([1, 60, 3_600]),
)
# What is asked for, and how long after the one before.
asks = st.lists(
    st.tuples(st.integers(1, 50), st.floats(0, 100, allow_nan=False)), max_size=60
)


@given(limits, asks)
def test_no_more_is_given_than_the_bucket_and_what_flowed_in(
    limit: Limit, asked: list[tuple[int, float]]
) -> None:
    bucket, now_s, given = Bucket(limit, now_s=0.0), 0.0, 0
    for wanted, pause_s in asked:
        now_s += pause_s
        grant = bucket.take(wanted, now_s=now_s)
        given += grant.n_tokens
        assert 0 <= grant.n_tokens <= wanted
        assert 0 <= grant.n_left <= limit.n_requests
        assert given <= limit.n_requests + now_s * limit.per_s + 1e-6


@given(limits, asks)
def test_who_is_refused_is_served_after_the_time_named_and_not_before(
    limit: Limit, asked: list[tuple[int, float]]
) -> None:
    bucket, now_s = Bucket(limit, now_s=0.0), 0.0
    for wanted, pause_s in asked:
        now_s += pause_s
        grant = bucket.take(wanted, now_s=now_s)
        if not grant.n_tokens:
            assert 0 < grant.wait_s <= 1 / limit.per_s + 1e-9
            assert not bucket.take(1, now_s=now_s + 0.9 * grant.wait_s).n_tokens
            now_s += 1.001 * grant.wait_s + 1e-6
            assert bucket.take(1, now_s=now_s).n_tokens == 1


@given(limits)
def test_a_full_bucket_gives_all_it_holds_and_fills_in_one_period(limit: Limit) -> None:
    bucket = Bucket(limit, now_s=0.0)
    assert bucket.take(99_999, now_s=0.0).n_tokens == limit.n_requests
    refilled = bucket.take(99_999, now_s=limit.period_s + 0.001)
    assert refilled.n_tokens == limit.n_requests


@given(limits)
def test_small_buckets_are_not_divided_and_large_ones_finely(limit: Limit) -> None:
    assert 1 <= limit.lease <= max(1, limit.n_requests // 100)


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    bucket = Bucket(Limit(name="default", n_requests=1, period_s=1), now_s=100.0)
    taken = [bucket.take(1, now_s=now_s).n_tokens for now_s in (100.0, 50.0, 100.5)]
    assert taken == [1, 0, 0]


def test_a_limit_is_read_from_text() -> None:
    limit = parse_limit("events", "600/min")
    assert limit == Limit(name="events", n_requests=600, period_s=60)
    assert (limit.per_s, limit.policy) == (10.0, '"events";q=600;w=60')


@pytest.mark.parametrize("text", ["", "600", "0/s", "-1/s", "1.5/s", "9/day", "x/s"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"default=.* is not count/period"):
        parse_limit("default", text)
