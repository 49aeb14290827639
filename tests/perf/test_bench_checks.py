"""When two answers are the same."""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from perf.bench.checks import close_arrays, same_json


@pytest.mark.parametrize(
    ("after", "is_same"),
    [
        (b'{"b":[1,2],"a":1.5}', True),
        (b'{"a":1.5,"b":[2,1]}', False),
        (b'{"a":1.5}', False),
    ],
)
def test_json_is_compared_by_what_it_says(after: bytes, is_same: bool) -> None:
    assert same_json(b'{ "a": 1.5, "b": [1, 2] }', after) is is_same


@pytest.mark.parametrize(
    ("after", "is_close"),
    [
        ([1.0, 2.0], True),
        ([1.0, 2.0 + 1e-7], True),
        ([1.0, 2.1], False),
        ([1.0], False),
        ([[1.0, 2.0]], False),
        ([1.0, np.nan], False),
        ([], False),
    ],
)
def test_arrays_are_close_in_shape_and_value(after: ArrayLike, is_close: bool) -> None:
    assert close_arrays(relative=1e-6)([1.0, 2.0], after) is is_close


def test_not_a_number_is_never_close() -> None:
    assert close_arrays(absolute=1.0)([np.nan], [np.nan]) is False
