"""Is the process alive, and can it do its work? One line per dependency."""

import orjson
from django.core.cache import cache
from django.db import connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from riskplatform.api.draining import is_draining
from riskplatform.api.probes import OK, Probe, states_of
from riskplatform.kernel.errors import UnavailableError

CACHE_KEY = "health"
WITHIN_S = 1.0
# Writes on SQLite wait for the lock; a probe that waited as long as they do would
# not come back in time.
LOCK_WAIT_MS = 500


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Answer as long as the process can answer at all."""
    return HttpResponse(b'{"status":"ok"}', content_type="application/json")


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
    return HttpResponse(
        orjson.dumps(body),
        status=200 if is_ready else 503,
        content_type="application/json",
    )


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
