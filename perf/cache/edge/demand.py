"""What is asked for most, counted over all processes, so that it can be warmed.

Counts are halved now and then: what was asked for long ago fades.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import msgspec
from redis import Redis

from perf.cache.edge.principals import Caller
from perf.cache.edge.request_key import Asked, Question
from perf.cache.edge.response import Entry
from perf.cache.store import KEYS
from perf.shared_store import SharedStore
from riskplatform.api.keys.access import Access

COUNTS: Final = KEYS + "asked"
QUESTIONS: Final = KEYS + "asked:questions"
FADED: Final = KEYS + "asked:faded"
MOST_REMEMBERED: Final = 2_000
FADE_EVERY_S: Final = 3_600
# Longer questions are asked by programs that seldom repeat them.
MAX_QUESTION_BYTES: Final = 16 << 10

Parts = tuple[int | None, str, list[str], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A question, for whom it is, and how often it was asked lately."""

    question: Question
    caller: Caller
    names: frozenset[str]
    count: float


def remembered(asked: Asked, names: Iterable[str]) -> bytes:
    """Write down what is asked, by whom, and what the answer rests on."""
    access = asked.caller.access
    parts = (
        *(access.organisation_id, access.organisation),
        *(sorted(access.scopes), sorted(access.permissions)),
    )
    return msgspec.msgpack.encode((asked.question, parts, sorted(names)))


def count_hits(entries: Iterable[Entry], store: SharedStore) -> None:
    """Add what was asked since the last time; a few hits more or less do not matter."""
    asked: dict[bytes, int] = {}
    for entry in entries:
        if entry.hits and len(entry.question) <= MAX_QUESTION_BYTES:
            asked[entry.question] = asked.get(entry.question, 0) + entry.hits
            entry.hits = 0
    if asked:
        store.run(lambda redis: _add(redis, asked))


def most_asked(store: SharedStore, *, limit: int) -> list[Demand]:
    """List what was asked for most, the most wanted first."""
    ranked = store.run(lambda redis: _read(redis, limit))
    found = (_demand(question, count) for question, count in ranked)
    return [demand for demand in found if demand is not None]


def _add(redis: Redis, asked: dict[bytes, int]) -> None:
    is_time_to_fade = redis.set(FADED, "1", nx=True, ex=FADE_EVERY_S)
    with redis.pipeline(transaction=False) as pipeline:
        if is_time_to_fade:
            pipeline.zunionstore(COUNTS, {COUNTS: 0.5})
        for question, count in asked.items():
            digest = blake2b(question, digest_size=16).hexdigest()
            pipeline.zincrby(COUNTS, count, digest)
            pipeline.hset(QUESTIONS, digest, question)
        pipeline.zcard(COUNTS)
        size = pipeline.execute()[-1]
    if size > 1.2 * MOST_REMEMBERED:
        _forget(redis, size - MOST_REMEMBERED)


def _forget(redis: Redis, count: int) -> None:
    least = redis.zrange(COUNTS, 0, count - 1)
    with redis.pipeline(transaction=False) as pipeline:
        pipeline.zremrangebyrank(COUNTS, 0, count - 1)
        pipeline.hdel(QUESTIONS, *least)
        pipeline.execute()


def _read(redis: Redis, limit: int) -> list[tuple[bytes | None, float]]:
    """Give questions with their counts; a digest links one to the other."""
    ranked: Any = redis.zrevrange(COUNTS, 0, limit - 1, withscores=True)
    if not ranked:
        return []
    questions: Any = redis.hmget(QUESTIONS, [digest for digest, _ in ranked])
    return [
        (question, count)
        for question, (_, count) in zip(questions, ranked, strict=True)
    ]


def _demand(question: bytes | None, count: float) -> Demand | None:
    """Read a question; None where it is lost, or written by another version."""
    try:
        asked, (organisation_id, slug, scopes, permissions), names = (
            msgspec.msgpack.decode(
                question or b"", type=tuple[Question, Parts, list[str]]
            )
        )
    except msgspec.MsgspecError:
        return None
    access = Access(
        organisation_id=organisation_id,
        organisation=slug,
        scopes=frozenset(scopes),
        permissions=frozenset(permissions),
    )
    return Demand(
        question=asked,
        caller=Caller(access=access),
        names=frozenset(names),
        count=count,
    )
