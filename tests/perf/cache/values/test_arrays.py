import pickle
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from perf.cache.arrays import (
    NotPackableError,
    UnpackableArraysError,
    pack_arrays,
    unpack_arrays,
)

NUMBERS = st.one_of(
    npst.boolean_dtypes(),
    npst.integer_dtypes(endianness="="),
    npst.unsigned_integer_dtypes(endianness="="),
    npst.floating_dtypes(endianness="=", sizes=(16, 32, 64)),
)
ARRAYS = npst.arrays(NUMBERS, npst.array_shapes(min_dims=0, min_side=0, max_dims=3))
MOMENTS = st.datetimes(timezones=st.just(UTC))
OBJECTS = st.one_of(
    st.lists(st.text() | st.none() | st.integers(-(2**63), 2**63) | st.binary()),
    st.lists(st.dates() | st.none()),
    st.lists(MOMENTS | st.none()),
)


def of_objects(values: list[Any]) -> NDArray[Any]:
    array = np.empty(len(values), dtype=np.object_)
    array[:] = values
    return array


@settings(deadline=None)
@given(arrays=st.dictionaries(st.text(max_size=5), ARRAYS, max_size=4))
def test_numbers_come_back_byte_by_byte(arrays: dict[str, NDArray[Any]]) -> None:
    back = unpack_arrays(pack_arrays(arrays))
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        assert back[name].shape == array.shape
        assert back[name].tobytes() == array.tobytes()


@settings(deadline=None)
@given(values=OBJECTS)
def test_texts_and_moments_come_back_as_they_were(values: list[Any]) -> None:
    back = unpack_arrays(pack_arrays({"a": of_objects(values)}))["a"]
    assert back.tolist() == values
    assert list(map(type, back)) == list(map(type, values))


def test_the_order_in_memory_is_kept() -> None:
    turned = np.arange(12.0).reshape(3, 4).T
    back = unpack_arrays(pack_arrays({"a": turned}))["a"]
    assert back.flags.f_contiguous
    np.testing.assert_array_equal(back, turned)


def test_what_is_read_cannot_be_written_to() -> None:
    back = unpack_arrays(pack_arrays({"a": np.ones(3)}))["a"]
    with pytest.raises(ValueError, match="read-only"):
        back[0] = 2.0


@pytest.mark.parametrize(
    "array",
    [
        of_objects([{"a": 1}]),
        of_objects([date(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC)]),
        of_objects([2**70]),
        np.array(["text"]),
        np.ones(2, dtype=np.complex128),
    ],
)
def test_other_things_are_refused(array: NDArray[Any]) -> None:
    with pytest.raises(NotPackableError):
        pack_arrays({"a": array})


@settings(deadline=None)
@given(body=st.binary(max_size=200))
def test_random_bytes_are_no_arrays(body: bytes) -> None:
    try:
        unpack_arrays(body)
    except UnpackableArraysError:
        return
    assert body == b"\x80", "no array at all"


def test_arrays_cut_off_anywhere_are_refused() -> None:
    whole = pack_arrays({"a": np.arange(5.0), "b": of_objects(["x", None])})
    for size in range(len(whole)):
        with pytest.raises(UnpackableArraysError):
            unpack_arrays(whole[:size])


def test_a_pickle_is_not_opened() -> None:
    with pytest.raises(UnpackableArraysError):
        unpack_arrays(pickle.dumps({"a": np.arange(5.0)}))
