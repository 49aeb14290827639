"""Which requests come most often, counted over all processes, so that they are warmed.

Counts are halved now and then: what was popular long ago fades.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from redis import Redis

from perf.cache.edge.principals import EdgePrincipal
from perf.cache.edge.request_key import KeyedRequest, RequestParts
from perf.cache.edge.response import CachedResponse
from perf.cache.store import KEYS
from perf.shared_store import SharedStore
from riskplatform.api.keys.access import Access

COUNTS: Final = KEYS + "requests"
FADED: Final = KEYS + "requests:faded"
MOST_REMEMBERED: Final = 2_000
FADE_EVERY_S: Final = 3_600
# Longer requests are made by programs that seldom repeat them.
MAX_REQUEST_BYTES: Final = 16 << 10

# A request, what its sender may do, and the names that its response depends on.
PopularRequest = tuple[RequestParts, EdgePrincipal, frozenset[str]]

# In one order, so that what is the same is counted as the same.
_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(tuple[RequestParts, Access, frozenset[str]]).decode


def written_request(keyed: KeyedRequest, names: Iterable[str]) -> bytes:
    """Write down a request, its sender's access, and what its response depends on."""
    return _encode((keyed.parts, keyed.principal.access, frozenset(names)))


def count_hits(responses: Iterable[CachedResponse], store: SharedStore) -> None:
    """Add the hits since the last time; a few more or less do not matter."""
    hits: dict[bytes, int] = {}
    for response in responses:
        if response.hits and len(response.request) <= MAX_REQUEST_BYTES:
            hits[response.request] = hits.get(response.request, 0) + response.hits
            response.hits = 0
    if hits:
        store.run(lambda redis: _add(redis, hits))


def most_requested(store: SharedStore, *, limit: int) -> list[PopularRequest]:
    """List the requests that came most often, the most popular first."""
    written: Any = store.run(lambda redis: redis.zrevrange(COUNTS, 0, limit - 1))
    found = (_read_request(each) for each in written)
    return [request for request in found if request is not None]


def _add(redis: Redis, hits: dict[bytes, int]) -> None:
    is_time_to_fade = redis.set(FADED, "1", nx=True, ex=FADE_EVERY_S)
    with redis.pipeline(transaction=False) as pipeline:
        if is_time_to_fade:
            pipeline.zunionstore(COUNTS, {COUNTS: 0.5})
        for written, count in hits.items():
            pipeline.zincrby(COUNTS, count, written)
        pipeline.zremrangebyrank(COUNTS, 0, -MOST_REMEMBERED - 1)
        pipeline.execute()


def _read_request(written: bytes) -> PopularRequest | None:
    """Read a request; None where it was written by another version."""
    try:
        parts, access, names = _decode(written)
    except msgspec.MsgspecError:
        return None
    return parts, EdgePrincipal(access=access), names
