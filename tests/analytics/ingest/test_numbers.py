"""Numbers as files give them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.ingest.rules import RowCode, parse_numbers

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, max_size=20))
def test_written_numbers_read_back_the_same(numbers: list[float]) -> None:
    values, faults = parse_numbers(list(map(repr, numbers)), is_required=True)

    assert faults == {}
    assert values.tolist() == numbers


@given(st.lists(st.text(max_size=8), max_size=8))
def test_every_text_is_a_finite_number_missing_or_a_fault(texts: list[str]) -> None:
    values, faults = parse_numbers(texts, is_required=False)

    for place, text in enumerate(texts):
        assert np.isfinite(values[place]) or not text or place in faults


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", RowCode.MISSING_VALUE),
        ("nan", RowCode.NOT_FINITE),
        ("-inf", RowCode.NOT_FINITE),
        ("1e999", RowCode.NOT_FINITE),
        ("1_000", RowCode.BAD_NUMBER),
        ("41,87", RowCode.BAD_NUMBER),
        ("0x1F", RowCode.BAD_NUMBER),
        ("٤١", RowCode.BAD_NUMBER),
    ],
)
def test_what_is_not_a_plain_finite_number_is_a_fault(text: str, code: RowCode) -> None:
    values, faults = parse_numbers(["41.5", text, "-1e3"], is_required=True)

    assert values.tolist()[::2] == [41.5, -1000.0]
    assert np.isnan(values[1])
    assert {place: fault.code for place, fault in faults.items()} == {1: code}


def test_decimal_comma_is_explained() -> None:
    _values, faults = parse_numbers(["41,87"], is_required=True)

    assert faults[0].reason == (
        "'41,87' is not a number. Use a point as the decimal sign."
    )


def test_empty_optional_number_is_unknown() -> None:
    values, faults = parse_numbers(["1.5", ""], is_required=False)

    assert faults == {}
    assert values[0] == 1.5
    assert np.isnan(values[1])
