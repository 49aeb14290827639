"""What surrounds a value in Redis: its schema, its times, and a signature of it all.

Whoever may write to Redis can put anything there. What was not signed with the
secret key of this installation, or is of another schema, is not opened.
"""

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest

from django.conf import settings

MAGIC = b"RPV1"
# Magic, schema, flags, then when it was made, and for how long it holds, in seconds.
HEADER = struct.Struct("<4sIBdd")
DIGEST_BYTES = 16
COMPRESSED, NOTHING = 1, 2
LEAST_COMPRESSED_BYTES = 1_024
# The quickest level: values are numbers, and gain little more by others.
LEVEL = 1


class NotAnEnvelopeError(Exception):
    """These bytes were not put there by this cache, or not by this version of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """`body` is the value encoded; none means that there is nothing."""

    body: bytes | None
    made_s: float
    ttl_s: float

    def age_s(self, now_s: float) -> float:
        return now_s - self.made_s


def seal(envelope: Envelope, *, schema: int) -> bytes:
    flags, body = 0, envelope.body
    if body is None:
        flags, body = NOTHING, b""
    elif len(body) >= LEAST_COMPRESSED_BYTES:
        shorter = zlib.compress(body, LEVEL)
        if len(shorter) < len(body):
            flags, body = COMPRESSED, shorter
    head = HEADER.pack(MAGIC, schema, flags, envelope.made_s, envelope.ttl_s)
    return b"".join((signature(head, body), head, body))


def unseal(sealed: bytes, *, schema: int, max_bytes: int) -> Envelope:
    """Open an envelope; its value is never larger than `max_bytes`.

    Raises
    ------
    NotAnEnvelopeError
    """
    digest, rest = sealed[:DIGEST_BYTES], sealed[DIGEST_BYTES:]
    head, body = rest[: HEADER.size], rest[HEADER.size :]
    if len(head) != HEADER.size or not compare_digest(digest, signature(head, body)):
        raise NotAnEnvelopeError("It is not whole, or not ours.")
    magic, its_schema, flags, made_s, ttl_s = HEADER.unpack(head)
    if magic != MAGIC or its_schema != schema:
        raise NotAnEnvelopeError("It is of another schema.")
    if flags & COMPRESSED:
        body = _unpacked(body, max_bytes)
    return Envelope(body=None if flags & NOTHING else body, made_s=made_s, ttl_s=ttl_s)


def signature(*parts: bytes) -> bytes:
    """Sign what is kept where others may write; the parts have lengths of their own."""
    digest = blake2b(digest_size=DIGEST_BYTES, key=_key(settings.SECRET_KEY))
    for part in parts:
        digest.update(part)
    return digest.digest()


@lru_cache(maxsize=2)
def _key(secret: str) -> bytes:
    return blake2b(secret.encode(), person=b"value cache").digest()


def _unpacked(body: bytes, max_bytes: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(body, max_bytes)
    except zlib.error as error:
        raise NotAnEnvelopeError(str(error)) from error
    if not unpacker.eof:
        raise NotAnEnvelopeError("It is larger than it may be, or cut off.")
    return unpacked
