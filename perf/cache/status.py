"""What each process says of its cache, gathered in Redis for people to see."""

import os
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from prometheus_client.metrics import MetricWrapperBase
from redis import Redis

from perf.cache.bus import Bus
from perf.cache.local import LocalEntries
from perf.cache.shared import KEYS
from perf.cache.tallies import snapshot
from perf.metrics import (
    EDGE_LAPSES,
    EDGE_NOT_KEPT,
    EDGE_REQUESTS,
    EDGE_STAMPEDES_PREVENTED,
    HEARING_SECONDS,
)
from perf.shared_store import SharedStore

STATUS: Final = KEYS + "status:"
# A process says so every two seconds; one that is silent as long as this is gone.
GONE_AFTER_S: Final = 15
OUTCOMES: Final = ("l1", "l2", "miss", "bypass")


class ProcessStatus(msgspec.Struct, frozen=True):
    """The figures of one process since it started."""

    host: str
    pid: int
    said_at_s: float
    entry_count: int
    nbytes: int
    evictions: int
    stampedes_prevented: float
    lapses: float
    heard_count: float
    heard_seconds: float
    not_kept: dict[str, float]
    requests: dict[str, dict[str, float]]
    values: dict[str, dict[str, int]]

    @property
    def mean_hearing_ms(self) -> float:
        return 1_000 * self.heard_seconds / self.heard_count if self.heard_count else 0


class SharedStatus(msgspec.Struct, frozen=True):
    """What Redis says of itself."""

    used_bytes: int
    max_bytes: int
    evicted_keys: int
    entry_hits: int
    entry_misses: int


def publish_status(bus: Bus, local: LocalEntries) -> None:
    status = ProcessStatus(
        host=socket.gethostname(),
        pid=os.getpid(),
        said_at_s=time.time(),
        entry_count=len(local),
        nbytes=local.nbytes,
        evictions=local.evictions,
        stampedes_prevented=_total(EDGE_STAMPEDES_PREVENTED),
        lapses=_total(EDGE_LAPSES),
        heard_count=_total(HEARING_SECONDS, "_count"),
        heard_seconds=_total(HEARING_SECONDS, "_sum"),
        not_kept=_by(EDGE_NOT_KEPT, "reason"),
        requests=_requests(),
        values={name: dict(counts) for name, counts in snapshot().items()},
    )
    key = f"{STATUS}{status.host}:{status.pid}"
    body = msgspec.msgpack.encode(status)
    bus.store.run(lambda redis: redis.set(key, body, ex=GONE_AFTER_S))


def read_statuses(store: SharedStore) -> list[ProcessStatus]:
    """Read what the living processes have said, in the order of their names."""
    found = store.run(_read)
    statuses = (_decoded(body) for body in found)
    known = [status for status in statuses if status is not None]
    return sorted(known, key=lambda status: (status.host, status.pid))


def read_shared_status(store: SharedStore) -> SharedStatus:
    info: Mapping[str, Any] = store.run(lambda redis: redis.info())
    return SharedStatus(
        used_bytes=info["used_memory"],
        max_bytes=info.get("maxmemory", 0),
        evicted_keys=info["evicted_keys"],
        entry_hits=info["keyspace_hits"],
        entry_misses=info["keyspace_misses"],
    )


def sum_requests(statuses: Iterable[ProcessStatus]) -> dict[str, dict[str, float]]:
    """Add up over processes: requests by address and by where from they came."""
    sums: dict[str, dict[str, float]] = {}
    for status in statuses:
        for route, outcomes in status.requests.items():
            row = sums.setdefault(route, dict.fromkeys(OUTCOMES, 0.0))
            for outcome, count in outcomes.items():
                row[outcome] = row.get(outcome, 0.0) + count
    return sums


def sum_values(statuses: Iterable[ProcessStatus]) -> dict[str, Counter[str]]:
    """Add up over processes: questions to each cache of values, by outcome."""
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for status in statuses:
        for cache, counts in status.values.items():
            sums[cache].update(counts)
    return dict(sorted(sums.items()))


def hit_ratio(outcomes: Mapping[str, float]) -> float | None:
    """Give the share of requests that no view had to answer."""
    total = sum(outcomes.values())
    hits = outcomes.get("l1", 0.0) + outcomes.get("l2", 0.0)
    return hits / total if total else None


def _read(redis: Redis) -> list[bytes]:
    keys = list(redis.scan_iter(match=f"{STATUS}*", count=1_000))
    bodies: Any = redis.mget(keys) if keys else []
    return [body for body in bodies if body is not None]


def _decoded(body: bytes) -> ProcessStatus | None:
    try:
        return msgspec.msgpack.decode(body, type=ProcessStatus)
    except msgspec.MsgspecError:
        # Written by another version, which is being replaced.
        return None


def _requests() -> dict[str, dict[str, float]]:
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for labels, value in _samples(EDGE_REQUESTS, "_total"):
        found[labels["route"]][labels["outcome"]] = value
    return dict(found)


def _by(metric: MetricWrapperBase, label: str) -> dict[str, float]:
    return {labels[label]: value for labels, value in _samples(metric, "_total")}


def _total(metric: MetricWrapperBase, suffix: str = "_total") -> float:
    return sum(value for _, value in _samples(metric, suffix))


def _samples(
    metric: MetricWrapperBase, suffix: str
) -> Iterable[tuple[dict[str, str], float]]:
    for family in metric.collect():
        for sample in family.samples:
            if sample.name.endswith(suffix):
                yield sample.labels, sample.value
