"""A line of the log for a computed request that failed or was slow, or for each."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from riskplatform.api.request_id import KNOWN
from riskplatform.api.structured_log import UNFOLDED, event_logger
from riskplatform.kernel.calls import Calls

ALL, OFF = "all", "off"

logger = event_logger("riskplatform.requests")


def log_request(
    environ: Mapping[str, Any],
    *,
    route: str,
    status: str,
    seconds: float,
    calls: Calls,
) -> None:
    """Say how a request ended; its address and what it sent are never said.

    A slow one shows its longest statements, without what was bound to them.
    """
    mode = settings.REQUEST_LOG
    is_slow = 1_000 * seconds >= settings.SLOW_REQUEST_MS
    is_notable = is_slow or status >= "5"
    if mode == OFF or not (is_notable or mode == ALL):
        return
    fields: dict[str, Any] = {
        "request_id": environ.get(KNOWN, ""),
        "method": environ["REQUEST_METHOD"][:10],
        "route": route,
        "status": status[:3],
        "ms": round(1_000 * seconds, 1),
        "cache": environ.get("perf.came_from", "none"),
        "principal": calls.principal,
        **calls.fields(),
    }
    if is_slow:
        fields["statements"] = calls.statements()
    say = logger.warning if is_notable else logger.info
    say("slow request" if is_slow else "request", **fields, **{UNFOLDED: mode == ALL})
