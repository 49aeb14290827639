"""Asks the application behind the cache, and tells whether its answer may be kept."""

import io
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from perf.cache.edge.demand import remembered
from perf.cache.edge.policy import PLAN_KEY, EdgePolicy, Plan
from perf.cache.edge.request_key import Asked, Environ
from perf.cache.edge.response import OK, Entry, Headers
from perf.connections.replicas import primary_only
from perf.metrics import EDGE_NOT_KEPT
from riskplatform.api.cache_headers import IS_DEFAULT
from riskplatform.api.keys.authentication import FOUND_KEY

MAX_KEPT_BYTES: Final = 16 << 20
# Not all that was made at once shall end at once.
TTL_JITTER: Final = 0.1
CACHE_CONTROL: Final = ("Cache-Control", "private, no-cache")
# The kept answer is whole; what a client makes of it is decided each time.
CONDITIONS: Final = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")
OF_ONE_REQUEST: Final = frozenset(
    {"content-length", "x-request-id", "date", "connection", "age", "x-cache"}
)


@dataclass(slots=True, kw_only=True)
class Answer:
    """What came out: a whole answer, or a stream, to be passed on as it is."""

    entry: Entry | None = None
    is_kept: bool = False
    status: str = ""
    headers: Headers = field(default_factory=list)
    body: Iterable[bytes] = ()
    outcome: str = "miss"


def kept_answer(entry: Entry, outcome: str) -> Answer:
    return Answer(entry=entry, is_kept=True, outcome=outcome)


def ask(app: Any, asked: Asked, policy: EdgePolicy) -> Answer:
    """Ask for a whole, plain answer, and tell whether it may be kept."""
    plan = Plan(caller=asked.caller, audience=asked.audience)
    started: list[tuple[str, Headers]] = []
    started_s = time.monotonic()

    def start_response(status: str, headers: Headers, *_: Any) -> None:
        started[:] = [(status, headers)]

    environ = _inner_environ(asked, plan, policy)
    with primary_only():
        result = app(environ, start_response)
    status, headers = started[0]
    is_refused = environ.get(IS_DEFAULT) is None and _says_no_store(headers)
    reason = _why_not(status, headers, plan, is_refused=is_refused)
    if reason:
        EDGE_NOT_KEPT.labels(reason).inc()
    if reason == "stream":
        return Answer(status=status, headers=headers, body=result)
    kept_headers = [pair for pair in headers if pair[0].lower() not in OF_ONE_REQUEST]
    if not reason and all(name.lower() != "cache-control" for name, _ in kept_headers):
        kept_headers.append(CACHE_CONTROL)
    body = _read(result)
    now_s = time.monotonic()
    ttl_s = policy.ttl_s * (1.0 - TTL_JITTER * random.random())  # noqa: S311 - spreads load
    entry = Entry(
        status=status,
        headers=kept_headers,
        body=body,
        gzip_body=None,
        names=frozenset(plan.names),
        cost_s=now_s - started_s,
        created_s=now_s,
        expires_s=now_s + ttl_s,
        question=remembered(asked, plan.names),
    )
    return Answer(entry=entry, is_kept=not reason)


def _inner_environ(asked: Asked, plan: Plan, policy: EdgePolicy) -> Environ:
    """Make a request for the whole answer; what a client has of it comes later."""
    inner = {**asked.environ, PLAN_KEY: plan, "HTTP_ACCEPT_ENCODING": "identity"}
    if asked.caller.key is not None:
        inner[FOUND_KEY] = asked.caller.key
    for name in CONDITIONS:
        inner.pop(name, None)
    if policy.method == "POST":
        inner["wsgi.input"] = io.BytesIO(asked.body)
    return inner


def _says_no_store(headers: Headers) -> bool:
    return any(
        name.lower() == "cache-control" and "no-store" in value
        for name, value in headers
    )


def _why_not(status: str, headers: Headers, plan: Plan, *, is_refused: bool) -> str:
    """Give the reason why an answer is not kept; deny by default."""
    found = {name.lower(): value for name, value in headers}
    length = found.get("content-length", "")
    reasons = {
        "stream": not length.isdigit(),
        "status": status != OK,
        "private": is_refused or plan.is_for_another or "set-cookie" in found,
        "size": length.isdigit() and int(length) > MAX_KEPT_BYTES,
        "unnamed": not plan.names,
    }
    return next((reason for reason, applies in reasons.items() if applies), "")


def _read(result: Iterable[bytes]) -> bytes:
    try:
        return b"".join(result)
    finally:
        close = getattr(result, "close", None)
        if close is not None:
            close()
