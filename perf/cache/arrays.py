"""Named arrays as bytes and back, without pickle.

Numbers are their bytes in memory; texts, dates and moments of UTC are msgpack.
"""

from collections.abc import Mapping
from datetime import date, datetime
from math import prod
from typing import Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]

NUMBER_KINDS: Final = frozenset("biuf")
PLAIN: Final = frozenset({bool, int, float, str, bytes})


class UnpackableArraysError(ValueError):
    """These bytes are no arrays of this form."""


class NotPackableError(TypeError):
    """An array holds what has no form here."""


class _Packed(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """One array; `kind` is the dtype of numbers, or how objects are written."""

    kind: str
    shape: tuple[int, ...]
    # Sums depend on the order in memory in their last digit.
    order: Literal["C", "F"]
    body: bytes


_decode_arrays = msgspec.msgpack.Decoder(dict[str, _Packed]).decode
_decode_objects: Final = {
    "plain": msgspec.msgpack.Decoder(list[Any]).decode,
    "date": msgspec.msgpack.Decoder(list[date | None]).decode,
    "datetime": msgspec.msgpack.Decoder(list[datetime | None]).decode,
}


def pack_arrays(arrays: Arrays) -> bytes:
    """Write arrays down.

    Raises
    ------
    NotPackableError
        An array is of another type than numbers, texts, dates and moments of UTC.
    """
    packed = {name: _packed(array) for name, array in arrays.items()}
    return msgspec.msgpack.encode(packed)


def unpack_arrays(body: bytes) -> dict[str, NDArray[Any]]:
    """Read arrays, which are read-only.

    Raises
    ------
    UnpackableArraysError
    """
    try:
        packed = _decode_arrays(body)
        return frozen({name: _unpacked(each) for name, each in packed.items()})
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as error:
        raise UnpackableArraysError(str(error)) from error


def frozen(arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Give the same arrays as read-only ones."""
    views = {name: array.view() for name, array in arrays.items()}
    for view in views.values():
        view.flags.writeable = False
    return views


def _packed(array: NDArray[Any]) -> _Packed:
    if array.dtype.kind in NUMBER_KINDS and array.dtype.isnative:
        is_fortran = array.flags.f_contiguous and not array.flags.c_contiguous
        order: Literal["C", "F"] = "F" if is_fortran else "C"
        return _Packed(array.dtype.str, array.shape, order, array.tobytes(order))
    if array.dtype != np.object_ or array.ndim != 1:
        raise NotPackableError(f"Arrays of {array.dtype} are not kept.")
    values: list[Any] = array.tolist()
    try:
        body = msgspec.msgpack.encode(values)
    except (msgspec.MsgspecError, TypeError, OverflowError) as error:
        raise NotPackableError(str(error)) from error
    return _Packed(_kind_of(values), array.shape, "C", body)


def _kind_of(values: list[Any]) -> str:
    types = {type(value) for value in values} - {type(None)}
    if types <= PLAIN:
        return "plain"
    if types == {date}:
        return "date"
    moments = [value for value in values if type(value) is datetime]
    if types == {datetime} and not any(moment.utcoffset() for moment in moments):
        return "datetime"
    names = ", ".join(sorted(each.__name__ for each in types))
    raise NotPackableError(f"Objects of {names} are not kept.")


def _unpacked(packed: _Packed) -> NDArray[Any]:
    decode = _decode_objects.get(packed.kind)
    if decode is not None:
        values = decode(packed.body)
        if packed.shape != (len(values),):
            raise UnpackableArraysError("An array is not as long as it says.")
        array = np.empty(len(values), dtype=np.object_)
        array[:] = values
        return array
    dtype = np.dtype(packed.kind)
    size = prod(packed.shape) * dtype.itemsize
    if dtype.kind not in NUMBER_KINDS or size != len(packed.body):
        raise UnpackableArraysError("An array is not what it says.")
    numbers = np.frombuffer(packed.body, dtype=dtype)
    return numbers.reshape(packed.shape, order=packed.order)
