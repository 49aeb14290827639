"""How values become bytes for a cache and are read again: by their type, no pickle."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from perf.cache.arrays import Arrays, NotPackableError, pack_arrays, unpack_arrays

T = TypeVar("T")


class NotEncodableError(Exception):
    """A value has no form that could be kept."""


class UndecodableError(Exception):
    """Bytes are not a value of the type."""


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    encode: Callable[[T], bytes]
    decode: Callable[[bytes], T]


def msgpack_of(kind: type[T]) -> Codec[T]:
    """Keep values of a type that msgspec knows; what is of another is refused."""
    decoder = msgspec.msgpack.Decoder(kind)

    def encode(value: T) -> bytes:
        try:
            return msgspec.msgpack.encode(value)
        except (msgspec.MsgspecError, TypeError, OverflowError) as error:
            raise NotEncodableError(str(error)) from error

    def decode(body: bytes) -> T:
        try:
            return decoder.decode(body)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise UndecodableError(str(error)) from error

    return Codec(encode, decode)


def arrays_of(
    to_arrays: Callable[[T], Arrays], from_arrays: Callable[[dict[str, Any]], T]
) -> Codec[T]:
    """Keep what consists of named arrays; read again, they cannot be written to."""

    def encode(value: T) -> bytes:
        try:
            return pack_arrays(to_arrays(value))
        except NotPackableError as error:
            raise NotEncodableError(str(error)) from error

    def decode(body: bytes) -> T:
        try:
            return from_arrays(unpack_arrays(body))
        except (ValueError, TypeError, KeyError) as error:
            raise UndecodableError(str(error)) from error

    return Codec(encode, decode)
