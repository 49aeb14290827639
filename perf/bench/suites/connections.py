"""Cost of a new connection; `manage.py benchmark --suite connections` runs it."""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from threading import Barrier
from time import perf_counter
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections as product_connections
from django.db.utils import ConnectionHandler
from django_redis.pool import ConnectionFactory
from redis import Redis
from redis.connection import ConnectionPool

from perf.bench.measurement import AnyMeasurement, Measurement, Meter, reported
from perf.bench.overhead import RATIO, Overhead, compare_overheads, measure_overhead
from perf.bench.registry import registry

STATEMENT = "SELECT 42"
POOL_SIZE = 4
THREADS = 20
REQUESTS_PER_THREAD = 10
DJANGO = "django.db.backends.postgresql"
OURS = "perf.connections.postgresql"
POOL = {"min_size": POOL_SIZE, "max_size": POOL_SIZE, "timeout": 30.0}
PLAIN = {"ENGINE": DJANGO, "CONN_MAX_AGE": 0}
PERSISTENT: dict[str, Any] = {
    "ENGINE": OURS,
    "CONN_MAX_AGE": None,
    "CONN_HEALTH_CHECKS": True,
}
POOLED: dict[str, Any] = {"ENGINE": OURS, "CONN_MAX_AGE": 0, "pool": POOL}
LEAKING = {"ENGINE": DJANGO, "CONN_MAX_AGE": 60}
STOCK_POOL = {**PLAIN, "CONN_HEALTH_CHECKS": True, "pool": POOL}
SERVER_FIELDS = ("NAME", "USER", "PASSWORD", "HOST", "PORT")
KEY = "riskplatform:benchmark"

# What the requests answered, and a figure.
Reading = tuple[object, float]

BACKENDS: Meter[Reading] = reported("backends", lambda found: found[1])
FIRST_ANSWER: Meter[Reading] = reported("ms", lambda found: 1e3 * found[1])


@registry.suite("connections")
def connections() -> Iterator[AnyMeasurement]:
    """A connection per request, then persistent ones; on SQLite only those to Redis."""
    if product_connections["default"].vendor == "postgresql":
        yield from _postgresql()
    yield from _redis()


def _postgresql() -> Iterator[AnyMeasurement]:
    ways = {"web, kept by the thread": PERSISTENT, "realtime, pool": POOLED}
    for name, after in ways.items():
        yield compare_overheads(
            f"PostgreSQL, {name}",
            before=partial(_overhead, PLAIN),
            after=partial(_overhead, after),
        )
    yield Measurement(
        name=f"PostgreSQL, {THREADS} threads that have served: left open",
        before=partial(_count_left_open, LEAKING),
        after=partial(_count_left_open, POOLED),
        meter=BACKENDS,
        check=_same_answer,
        target=THREADS / POOL_SIZE,
        repeats=3,
    )
    yield Measurement(
        name=f"PostgreSQL, {POOL_SIZE} dead in the pool: first answer",
        before=partial(_first_answer, STOCK_POOL),
        after=partial(_first_answer, POOLED),
        meter=FIRST_ANSWER,
        check=_same_answer,
        target=RATIO,
        repeats=3,
        warmups=0,
    )


def _overhead(changes: dict[str, Any]) -> Overhead:
    with _handler(changes) as handler, _open() as raw:
        bare = partial(raw.execute, STATEMENT)
        return measure_overhead(partial(_request, handler), bare)


def _redis() -> Iterator[AnyMeasurement]:
    with (
        closing(_redis_client("redis.connection.ConnectionPool")) as plain,
        closing(_redis_client()) as persistent,
        closing(_redis_client(single=True)) as raw,
    ):
        raw.set(KEY, "42", ex=600)
        bare: Callable[[], object] = partial(raw.get, KEY)
        yield compare_overheads(
            "Redis",
            before=partial(measure_overhead, partial(_closing_get, plain), bare),
            after=partial(measure_overhead, partial(persistent.get, KEY), bare),
        )


@contextmanager
def _handler(changes: dict[str, Any], application: str = "benchmark") -> Generator[Any]:
    """Connect in another way to the same database, apart from Django's own aliases."""
    product = product_connections["default"].settings_dict
    own = {name: product[name] for name in SERVER_FIELDS} | changes
    own["OPTIONS"] = {"application_name": f"riskplatform-{application}"}
    if "pool" in own:
        own["OPTIONS"]["pool"] = own.pop("pool")
    handler = ConnectionHandler({"default": own})
    try:
        yield handler
    finally:
        wrapper: Any = handler["default"]
        wrapper.close()
        wrapper.close_pool()


@contextmanager
def _open() -> Generator[psycopg.Connection[Any]]:
    product: Any = product_connections["default"]
    parameters = product.get_connection_params()
    with psycopg.connect(**parameters, autocommit=True) as connection:
        yield connection


def _request(handler: Any) -> object:
    """Do what Django does with a connection from the begin of a request to its end."""
    connection = handler["default"]
    connection.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT)
        answer: object = cursor.fetchone()
    connection.close_if_unusable_or_obsolete()
    return answer


def _count_left_open(changes: dict[str, Any]) -> Reading:
    """Serve from threads that are still there afterwards, and count the connections."""
    together = Barrier(THREADS + 1, timeout=60)
    application = "benchmark-threads"

    def serve(handler: Any) -> set[object]:
        answers = {_request(handler) for _ in range(REQUESTS_PER_THREAD)}
        # All have served; then they are counted.
        together.wait()
        together.wait()
        handler["default"].close()
        return answers

    with (
        _handler(changes, application) as handler,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        serving = [threads.submit(serve, handler) for _ in range(THREADS)]
        together.wait()
        left = len(_backends(f"riskplatform-{application}"))
        together.wait()
        answers = set[object]().union(*(one.result() for one in serving))
    return answers, left


def _first_answer(changes: dict[str, Any]) -> Reading:
    application = "benchmark-dead"
    with _handler(changes, application) as handler:
        _request(handler)
        pool: Any = handler["default"].pool
        pool.wait(timeout=30.0)
        with _open() as server:
            for backend in _backends(f"riskplatform-{application}"):
                server.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
        started_s = perf_counter()
        answer = _request(handler)
        return answer, perf_counter() - started_s


def _same_answer(before: Reading, after: Reading) -> bool:
    return before[0] == after[0]


def _backends(application: str) -> list[int]:
    with _open() as server:
        rows = server.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = %s",
            [application],
        )
        return [pid for (pid,) in rows]


def _redis_client(pool_class: str = "", *, single: bool = False) -> Redis:
    """Connect as django-redis does, with our pool or with the one it brings."""
    cache: Any = settings.CACHES["default"]
    options = {**cache["OPTIONS"]}
    if pool_class:
        options |= {"CONNECTION_POOL_CLASS": pool_class, "CONNECTION_POOL_KWARGS": {}}
    factory = ConnectionFactory(options)
    parameters = factory.make_connection_params(settings.REDIS_URL)
    pool: ConnectionPool = factory.get_connection_pool(parameters)
    return Redis(connection_pool=pool, single_connection_client=single)


def _closing_get(client: Redis) -> object:
    answer: object = client.get(KEY)
    client.connection_pool.disconnect()
    return answer
