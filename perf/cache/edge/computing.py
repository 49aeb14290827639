"""Gets a response that is not in memory: from level 2, another thread or the view."""

import io
import math
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from perf.cache.change_feed import ChangeFeed
from perf.cache.doorkeeper import Doorkeeper
from perf.cache.edge.direct import DirectViews
from perf.cache.edge.policy import PLAN_KEY, EdgePolicy, Plan
from perf.cache.edge.request_key import Environ, KeyedRequest, shared_key
from perf.cache.edge.response import (
    OK,
    CachedResponse,
    Headers,
    StartResponse,
    read_response,
    write_response,
)
from perf.cache.lifetimes import jittered
from perf.cache.memory import ByteCache
from perf.cache.store import Claim, PutOutcome
from perf.connections.replicas import primary_only
from perf.metrics import EDGE_NOT_CACHED, STAMPEDES_PREVENTED
from perf.shared_store import StoreUnavailableError
from perf.single_flight import SingleFlight
from riskplatform.api.cache_headers import IS_DEFAULT
from riskplatform.api.keys.authentication import FOUND_KEY

# Who has waited in vain computes alone: a thread for another of this process, or a
# process for another, which may have died.
SHARED_WAIT_S: Final = 15.0
CLAIM_WAIT_S: Final = 2.0
LEASE_S: Final = 15.0
# To compress a response, sign it and put it into Redis takes some milliseconds.
SHARED_FROM_S: Final = 0.05
# Of the newest computation in the average of its route.
WEIGHT: Final = 0.1
MAX_CACHED_BYTES: Final = 16 << 20
CACHE_CONTROL: Final = ("Cache-Control", "private, no-cache")
# The cached response is whole; what a client makes of it is decided each time.
CONDITIONS: Final = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")
OF_ONE_REQUEST: Final = frozenset(
    {"content-length", "x-request-id", "date", "connection", "age", "x-cache"}
)


@dataclass(slots=True, kw_only=True)
class EdgeResponse:
    """What came out: a whole response, or a stream, to be passed on as it is."""

    response: CachedResponse | None = None
    is_cached: bool = False
    status: str = ""
    headers: Headers = field(default_factory=list)
    stream: Iterable[bytes] = ()
    outcome: str = "miss"
    # What is left to do once the client has been answered.
    then: Callable[[], None] | None = None

    @property
    def is_server_error(self) -> bool:
        return self.response is not None and self.response.status.startswith("5")


class Computing:
    """One computation a key at a time, in this process and among all.

    The first response to a request stays in this process, unless it took at least
    `shared_from_s` to compute; of a request that comes again it goes to level 2. While
    the responses of a route take less, level 2 is not even looked at the first time.
    """

    def __init__(
        self,
        app: Callable[[Environ, StartResponse], Iterable[bytes]],
        *,
        local: ByteCache[CachedResponse],
        feed: ChangeFeed,
        shared_from_s: float = SHARED_FROM_S,
    ) -> None:
        self._app = DirectViews(app)
        self._local = local
        self._shared_from_s = shared_from_s
        self._doorkeeper = Doorkeeper()
        # How long the responses of a route take to compute, as a moving average.
        self._usual_s: dict[EdgePolicy, float] = {}
        self._shared = feed.shared
        self._copies = feed.copies
        self._single_flight: SingleFlight[EdgeResponse] = SingleFlight()

    def find_or_compute(self, keyed: KeyedRequest, policy: EdgePolicy) -> EdgeResponse:
        """Give what is cached elsewhere or computed now, for many or for this request.

        Only those of one generation share a computation: what began before a change
        may be older than a write that the others know of.
        """
        work = partial(self._find_or_compute, keyed, policy)
        key = (keyed.key, self._copies.generation)
        found, is_shared = self._single_flight.run(key, work, wait_s=SHARED_WAIT_S)
        if not is_shared:
            return found
        if not found.is_cached:
            return self._call_view(keyed, policy)
        STAMPEDES_PREVENTED.inc()
        return EdgeResponse(response=found.response, is_cached=True, outcome="l1")

    def refresh(self, keyed: KeyedRequest, policy: EdgePolicy) -> EdgeResponse | None:
        """Compute before the end of a response; None where another does so already."""
        try:
            claim = self._shared.claim(shared_key(keyed.key), lease_s=LEASE_S)
        except StoreUnavailableError:
            return None
        return None if claim is None else self._compute(keyed, policy, claim)

    def _find_or_compute(self, keyed: KeyedRequest, policy: EdgePolicy) -> EdgeResponse:
        key, generation = shared_key(keyed.key), self._copies.generation
        is_first = self._shared_from_s > 0.0 and self._doorkeeper.is_first(keyed.key)
        response = claim = None
        if is_first and self._usual_s.get(policy, math.inf) < self._shared_from_s:
            return self._compute(keyed, policy, None, is_first=True)
        with suppress(StoreUnavailableError):
            response, claim = self._shared.find(
                key,
                read_response,
                lease_s=0.0 if is_first else LEASE_S,
                wait_s=CLAIM_WAIT_S,
            )
        if response is None:
            return self._compute(keyed, policy, claim, is_first=is_first)
        self._keep(generation, keyed, response)
        return EdgeResponse(response=response, is_cached=True, outcome="l2")

    def _compute(
        self,
        keyed: KeyedRequest,
        policy: EdgePolicy,
        claim: Claim | None,
        *,
        is_first: bool = False,
    ) -> EdgeResponse:
        generation, is_cached = self._copies.generation, False
        try:
            computed = self._call_view(keyed, policy)
            is_cached = computed.is_cached
        finally:
            if not is_cached and claim is not None and not is_first:
                self._shared.release(claim)
        response = computed.response
        if response is None or not is_cached:
            return computed
        usual_s = self._usual_s.get(policy, response.cost_s)
        self._usual_s[policy] = usual_s + WEIGHT * (response.cost_s - usual_s)
        is_kept = self._keep(generation, keyed, response)
        is_shared = not is_first or response.cost_s >= self._shared_from_s
        if claim is not None and is_shared:
            computed.then = partial(self._share, claim, keyed, response, is_kept)
        return computed

    def _share(
        self,
        claim: Claim,
        keyed: KeyedRequest,
        response: CachedResponse,
        is_kept: bool,  # noqa: FBT001 - called by `then`
    ) -> None:
        """Put a response into level 2, which knows whether it is older than a change.

        This process may not have heard of it yet; then the response is not kept here
        either. Where this process could not tell, it is kept now.
        """
        generation = self._copies.generation
        with suppress(StoreUnavailableError):
            outcome = self._shared.put(
                claim,
                write_response(response),
                names=response.names,
                ttl_s=response.expires_s - time.monotonic(),
                cost_s=response.cost_s,
            )
            if outcome is PutOutcome.OLD:
                self._local.discard(keyed.key, response)
            elif outcome is PutOutcome.STORED and not is_kept:
                self._keep(generation, keyed, response)

    def _keep(
        self, generation: int, keyed: KeyedRequest, response: CachedResponse
    ) -> bool:
        """Put a response into level 1, unless it is older than a change."""
        put = partial(self._local.put, keyed.key, response, response.names)
        is_kept = self._copies.keep(generation, put, response.names)
        if not is_kept:
            EDGE_NOT_CACHED.labels("changed").inc()
        return is_kept

    def _call_view(self, keyed: KeyedRequest, policy: EdgePolicy) -> EdgeResponse:
        """Have a whole, plain response made, and say whether it may be cached."""
        plan = Plan(principal=keyed.principal, audience=keyed.audience)
        environ = _environ_of_whole(keyed, plan, policy)
        started: list[tuple[str, Headers]] = []
        started_s = time.monotonic()

        def start_response(status: str, headers: Headers, *_: Any) -> None:
            started[:] = [(status, headers)]

        with primary_only():
            stream = self._app(environ, start_response)
        status, headers = started[0]
        reason = _reason_not_to_cache(status, headers, plan, environ)
        if reason:
            EDGE_NOT_CACHED.labels(reason).inc()
        if reason == "stream":
            return EdgeResponse(status=status, headers=headers, stream=stream)
        headers = [pair for pair in headers if pair[0].lower() not in OF_ONE_REQUEST]
        if not reason and all(name.lower() != "cache-control" for name, _ in headers):
            headers.append(CACHE_CONTROL)
        body = _read(stream)
        now_s = time.monotonic()
        response = CachedResponse(
            status=status,
            headers=headers,
            body=body,
            names=frozenset(plan.names),
            cost_s=now_s - started_s,
            created_s=now_s,
            expires_s=now_s + jittered(policy.ttl_s),
            request=keyed.written(plan.names),
        )
        return EdgeResponse(response=response, is_cached=not reason)


def _environ_of_whole(keyed: KeyedRequest, plan: Plan, policy: EdgePolicy) -> Environ:
    """Make a request for the whole response; what a client has of it comes later."""
    inner = {**keyed.environ, PLAN_KEY: plan, "HTTP_ACCEPT_ENCODING": "identity"}
    if keyed.principal.key is not None:
        inner[FOUND_KEY] = keyed.principal.key
    for name in CONDITIONS:
        inner.pop(name, None)
    if policy.method == "POST":
        inner["wsgi.input"] = io.BytesIO(keyed.body)
    return inner


def _reason_not_to_cache(
    status: str, headers: Headers, plan: Plan, environ: Environ
) -> str:
    """Give the reason why a response is not cached; deny by default."""
    found = {name.lower(): value for name, value in headers}
    length = found.get("content-length", "")
    is_refused = "no-store" in found.get("cache-control", "")
    is_refused = is_refused and environ.get(IS_DEFAULT) is None
    reasons = {
        "stream": not length.isdigit(),
        "status": status != OK,
        "private": is_refused or plan.is_for_another or "set-cookie" in found,
        "size": length.isdigit() and int(length) > MAX_CACHED_BYTES,
        "unnamed": not plan.names,
    }
    return next((reason for reason, applies in reasons.items() if applies), "")


def _read(stream: Iterable[bytes]) -> bytes:
    try:
        return b"".join(stream)
    finally:
        if (close := getattr(stream, "close", None)) is not None:
            close()
