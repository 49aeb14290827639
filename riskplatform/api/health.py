"""Is the process alive, and can it do its work? One line per dependency."""

import time
from collections.abc import Callable

import orjson
from django.core.cache import cache
from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from riskplatform.api.draining import is_draining
from riskplatform.kernel.errors import UnavailableError

CACHE_KEY = "health"


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Answer as long as the process can answer at all."""
    return HttpResponse(b'{"status":"ok"}', content_type="application/json")


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Check each dependency; only the default database decides the status.

    Without ClickHouse or the cache most answers still leave; they are reported. A
    process that is about to stop is not ready, whatever it could still do.
    """
    checks = {name: _timed(check) for name, check in _CHECKS.items()}
    is_ready = checks["database"]["status"] == "ok" and not is_draining()
    status = "ok" if is_ready else "draining" if is_draining() else "unavailable"
    body = {"status": status, "checks": checks}
    return HttpResponse(
        orjson.dumps(body),
        status=200 if is_ready else 503,
        content_type="application/json",
    )


def _timed(check: Callable[[], None]) -> dict[str, str | float]:
    started = time.perf_counter()
    try:
        check()
    except (DatabaseError, UnavailableError, OSError, EOFError) as error:
        status = f"failing: {type(error).__name__}"
    else:
        status = "ok"
    return {"status": status, "ms": round(1_000 * (time.perf_counter() - started), 1)}


def _query(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1")


def _cache_round_trip() -> None:
    # django-redis is told to swallow errors, so a lost write shows as a wrong read.
    cache.set(CACHE_KEY, "ok", timeout=5)
    if cache.get(CACHE_KEY) != "ok":
        raise UnavailableError("The cache does not answer.")


_CHECKS: dict[str, Callable[[], None]] = {
    "database": lambda: _query("default"),
    "clickhouse": lambda: _query("clickhouse"),
    "cache": _cache_round_trip,
}
