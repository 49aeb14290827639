"""Repeats requests that a lost connection to the database has broken."""

from collections.abc import Callable
from typing import Any

from django.db import OperationalError, connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from perf.connections.retry_timeout import RetryTimeout
from perf.metrics import RETRIED_REQUESTS
from riskplatform.api.problems import error_response
from riskplatform.kernel.errors import UnavailableError

REPEATABLE = frozenset({"GET", "HEAD"})
SENTENCE = "The database does not answer. Try again shortly."


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
