"""Outages of a server that may be back at once are waited for, but not for long."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from django.db import OperationalError, connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from perf.deadlines import within_deadline
from perf.metrics import RETRIED_REQUESTS
from riskplatform.api.problems import error_response
from riskplatform.kernel.errors import UnavailableError

TIMEOUT_S = 5.0
POLL_S = 0.05
REPEATABLE = frozenset({"GET", "HEAD"})
SENTENCE = "The database does not answer. Try again shortly."


class RetryTimeout:
    """Waits for the end of an outage, but for `timeout_s` of it only.

    The clock belongs to the outage: a restart is outlasted by every request, and in
    a long outage a request tries once and waits no longer.
    """

    def __init__(
        self,
        *,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._timeout_s = timeout_s
        self._clock = clock
        self._pause = pause
        self._lock = Lock()
        self._began_s = self._seen_s = float("-inf")

    def wait_until(self, is_back: Callable[[], bool]) -> bool:
        """Try until it is back; False when this timeout or the deadline is over."""
        while not is_back():
            now_s = self._clock()
            if now_s >= self._note(now_s) + self._timeout_s:
                return False
            if within_deadline(POLL_S) < POLL_S:
                return False
            self._pause(POLL_S)
        with self._lock:
            self._began_s = self._seen_s = float("-inf")
        return True

    def _note(self, now_s: float) -> float:
        """Give the moment at which the outage was first seen."""
        with self._lock:
            # Not seen for so long: that outage is over, and this is another.
            if now_s - self._seen_s > self._timeout_s:
                self._began_s = now_s
            self._seen_s = now_s
            return self._began_s


class RetryMiddleware:
    """Repeats a GET or HEAD once when a connection broke, not when a statement failed.

    By the time an error could be seen here it is a response, made by Django REST
    framework or by Django; so the connections themselves are checked.
    """

    def __init__(
        self,
        get_response: Callable[[HttpRequest], HttpResponseBase],
        *,
        retry_timeout: RetryTimeout | None = None,
    ) -> None:
        self._get_response = get_response
        self._retry_timeout = retry_timeout or RetryTimeout()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if response.status_code < 500:
            return response
        lost = _lost_connections()
        if lost and request.method in REPEATABLE:
            response = self._repeat(request, lost) or response
        if response.status_code == 500 and _lost_connections():
            return error_response(UnavailableError(SENTENCE))
        return response

    def process_exception(
        self, _request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        """Answer for views outside the API, whose errors would be a 500."""
        is_lost = isinstance(error, OperationalError)
        return error_response(UnavailableError(SENTENCE)) if is_lost else None

    def _repeat(self, request: HttpRequest, lost: list[Any]) -> HttpResponseBase | None:
        wait = self._retry_timeout.wait_until
        if not all(wait(connection.reconnect) for connection in lost):
            RETRIED_REQUESTS.labels("gone").inc()
            return None
        response = self._get_response(request)
        failed = response.status_code >= 500
        RETRIED_REQUESTS.labels("failed" if failed else "answered").inc()
        return response


def _lost_connections() -> list[Any]:
    return [
        connection
        for connection in connections.all(initialized_only=True)
        if getattr(connection, "is_lost", False)
    ]
