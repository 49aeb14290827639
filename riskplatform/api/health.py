"""Is the process alive, and can it do its work? One line per dependency.

Each dependency is probed in a thread of its own, so that none holds up others. One that
hangs holds its thread, and is not probed again until that returns: shown then are its
last answer and how old that is.
"""

import logging
import time
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Final, NamedTuple

import orjson
from django.core.cache import cache
from django.db import DatabaseError, connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from riskplatform.api.draining import is_draining
from riskplatform.kernel.errors import UnavailableError

CACHE_KEY: Final = "health"
WITHIN_S: Final = 1.0
# Writes on SQLite wait for the lock; a probe that waited as long as they do would
# not come back in time.
LOCK_WAIT_MS: Final = 500
OK, NO_ANSWER = "ok", "no answer"
FAILURES = (DatabaseError, UnavailableError, OSError, EOFError)
JSON: Final = "application/json"

logger = logging.getLogger(__name__)

State = dict[str, str | float | None]


class ProbeResult(NamedTuple):
    status: str
    took_s: float
    at_s: float


class Probe:
    """Probes one dependency; `check` raises where it does not do what it should."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._lock = Lock()
        self._finished: Event | None = None
        self._last: ProbeResult | None = None

    def start(self) -> None:
        """Start a probe, unless an earlier one has not returned yet."""
        with self._lock:
            if self._finished is not None and not self._finished.is_set():
                return
            self._finished = Event()
        Thread(target=self._run, args=(self._finished,), daemon=True).start()

    def state(self, *, until_s: float) -> State:
        """Wait for the result until that moment of the monotonic clock."""
        begun_s = time.monotonic()
        finished, before = self._finished, self._last
        is_finished = finished is not None and finished.wait(
            max(0.0, until_s - begun_s)
        )
        if is_finished and self._last is not None:
            return {"status": self._last.status, "ms": _milliseconds(self._last.took_s)}
        now_s = time.monotonic()
        return {
            "status": NO_ANSWER,
            "ms": _milliseconds(now_s - begun_s),
            "last_status": None if before is None else before.status,
            "last_age_s": None if before is None else round(now_s - before.at_s, 1),
        }

    def _run(self, finished: Event) -> None:
        started_s = time.monotonic()
        status = OK
        try:
            self._check()
        except Exception as error:
            if not isinstance(error, FAILURES):
                logger.exception("a probe broke")
            status = f"failing: {type(error).__name__}"
        now_s = time.monotonic()
        self._last = ProbeResult(status, took_s=now_s - started_s, at_s=now_s)
        finished.set()
        connections.close_all()


def states_of(probes: dict[str, Probe], *, within_s: float) -> dict[str, State]:
    """Probe all at once; one that is late is shown by its last result."""
    until_s = time.monotonic() + within_s
    for probe in probes.values():
        probe.start()
    return {name: probe.state(until_s=until_s) for name, probe in probes.items()}


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Answer as long as the process can answer at all."""
    return HttpResponse(b'{"status":"ok"}', content_type=JSON)


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Probe all dependencies at once, for a second; the default database decides.

    Without ClickHouse or the cache most answers still leave; they are reported. A
    process that is about to stop is not ready, whatever it could still do.
    """
    checks = states_of(PROBES, within_s=WITHIN_S)
    is_ready = checks["database"]["status"] == OK and not is_draining()
    status = OK if is_ready else "draining" if is_draining() else "unavailable"
    body = {"status": status, "checks": checks}
    http_status = 200 if is_ready else 503
    return HttpResponse(orjson.dumps(body), status=http_status, content_type=JSON)


def _write() -> None:
    """Write a row and take it back: reading goes on where nothing can be written."""
    connection = connections["default"]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
    with transaction.atomic():
        MigrationRecorder(connection).migration_qs.create(app="health", name="probe")
        transaction.set_rollback(True)


def _read_clickhouse() -> None:
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute("SELECT 1")


def _cache_round_trip() -> None:
    # django-redis is set to swallow errors, so a lost write shows as a wrong read.
    cache.set(CACHE_KEY, "ok", timeout=5)
    if cache.get(CACHE_KEY) != "ok":
        raise UnavailableError("The cache does not answer.")


PROBES = {
    "database": Probe(_write),
    "clickhouse": Probe(_read_clickhouse),
    "cache": Probe(_cache_round_trip),
}


def _milliseconds(seconds: float) -> float:
    return round(1_000 * seconds, 1)
