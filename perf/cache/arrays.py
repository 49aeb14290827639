"""Named arrays as one run of bytes and back: no pickle, and no copy on the way back.

A header in msgpack says what follows: each array's name, kind, shape, order and
place. Numbers are their bytes in memory; texts, dates and moments are msgpack.
"""

import struct
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from math import prod
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]
Order = Literal["C", "F"]

# So that processors read whole lines of their caches.
ALIGNMENT = 64
LENGTH = struct.Struct("<I")
NUMBER_KINDS = frozenset("biuf")
PLAIN = frozenset({type(None), bool, int, float, str, bytes})
NO_OFFSET = timedelta(0)


class UnpackableArraysError(ValueError):
    """These bytes are no arrays of this form."""


class NotPackableError(TypeError):
    """An array holds what has no form here."""


class _Part(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One array; `dtype` is numpy's, or how its objects are written."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    order: Order
    start: int
    size: int


_decode_parts = msgspec.msgpack.Decoder(list[_Part]).decode
_decode_plain = msgspec.msgpack.Decoder(list[Any]).decode
_decode_texts = msgspec.msgpack.Decoder(list[str | None]).decode


def pack_arrays(arrays: Arrays) -> bytes:
    """Write arrays down.

    Raises
    ------
    NotPackableError
        An array is of another type than numbers, texts, dates and moments of UTC.
    """
    parts: list[_Part] = []
    blocks: list[bytes] = []
    start = 0
    for name, array in arrays.items():
        dtype, block = _written(array)
        parts.append(_Part(name, dtype, array.shape, _order(array), start, len(block)))
        blocks.append(block.ljust(_aligned(len(block)), b"\0"))
        start += len(blocks[-1])
    header = msgspec.msgpack.encode(parts)
    head = (LENGTH.pack(len(header)) + header).ljust(
        _aligned(LENGTH.size + len(header)), b"\0"
    )
    return b"".join((head, *blocks))


def unpack_arrays(body: bytes | memoryview) -> dict[str, NDArray[Any]]:
    """Read arrays; they rest on `body`, and nobody can write to them.

    Raises
    ------
    UnpackableArraysError
    """
    view = memoryview(body)
    try:
        (header_size,) = LENGTH.unpack_from(view)
        header = view[LENGTH.size : LENGTH.size + header_size]
        blocks = view[_aligned(LENGTH.size + header_size) :]
        return {part.name: _read(part, blocks) for part in _decode_parts(header)}
    except (msgspec.MsgspecError, struct.error, TypeError, ValueError) as error:
        raise UnpackableArraysError(str(error)) from error


def frozen(arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Give the same arrays so that nobody can write to them by accident."""
    views = {name: array.view() for name, array in arrays.items()}
    for view in views.values():
        view.flags.writeable = False
    return views


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _order(array: NDArray[Any]) -> Order:
    """Tell the order in memory: sums depend on it in their last digit."""
    is_fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    return "F" if is_fortran else "C"


def _written(array: NDArray[Any]) -> tuple[str, bytes]:
    if array.dtype.kind in NUMBER_KINDS and array.dtype.isnative:
        return array.dtype.str, array.tobytes(order=_order(array))
    if array.dtype != np.object_ or array.ndim != 1:
        raise NotPackableError(f"Arrays of {array.dtype} are not kept.")
    values: list[Any] = array.tolist()
    types = {type(value) for value in values}
    try:
        if types <= PLAIN:
            return "plain", msgspec.msgpack.encode(values)
        return _moments_written(values, types - {type(None)})
    except (msgspec.MsgspecError, OverflowError) as error:
        raise NotPackableError(str(error)) from error


def _moments_written(values: Iterable[Any], types: set[type]) -> tuple[str, bytes]:
    if types == {date}:
        kind = "date"
    elif types == {datetime} and all(map(_is_utc, values)):
        kind = "datetime"
    else:
        names = ", ".join(sorted(each.__name__ for each in types))
        raise NotPackableError(f"Objects of {names} are not kept.")
    texts = [None if value is None else value.isoformat() for value in values]
    return kind, msgspec.msgpack.encode(texts)


def _is_utc(moment: datetime | None) -> bool:
    return moment is None or moment.utcoffset() in {None, NO_OFFSET}


def _read(part: _Part, blocks: memoryview) -> NDArray[Any]:
    block = blocks[part.start : part.start + part.size]
    if part.start < 0 or len(block) != part.size or min(part.shape, default=0) < 0:
        raise UnpackableArraysError(f"The array {part.name} is cut off.")
    array = _objects(part, block) if part.dtype.isalpha() else _numbers(part, block)
    array.flags.writeable = False
    return array


def _numbers(part: _Part, block: memoryview) -> NDArray[Any]:
    dtype = np.dtype(part.dtype)
    if dtype.kind not in NUMBER_KINDS or prod(part.shape) * dtype.itemsize != len(
        block
    ):
        raise UnpackableArraysError(f"The array {part.name} is not what it says.")
    return np.frombuffer(block, dtype=dtype).reshape(part.shape, order=part.order)


def _objects(part: _Part, block: memoryview) -> NDArray[Any]:
    values = _decode_plain(block) if part.dtype == "plain" else _moments(part, block)
    if part.shape != (len(values),):
        raise UnpackableArraysError(f"The array {part.name} is not what it says.")
    array = np.empty(len(values), dtype=np.object_)
    array[:] = values
    return array


def _moments(part: _Part, block: memoryview) -> list[Any]:
    readers = {"date": date.fromisoformat, "datetime": datetime.fromisoformat}
    read = readers.get(part.dtype)
    if read is None:
        raise UnpackableArraysError(f"There is no kind {part.dtype} of arrays.")
    texts = _decode_texts(block)
    return [None if text is None else read(text) for text in texts]
