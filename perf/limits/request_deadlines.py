"""Every request has a deadline: that of its class, or an earlier one in its header."""

import re
from collections.abc import Callable

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponseBase

from perf.deadlines import deadline
from perf.limits.routes import DEFAULT, configured_routes
from riskplatform.api.problems import error_response
from riskplatform.kernel.errors import (
    DeadlineError,
    InvalidInputError,
    database_error,
)

HEADER = "X-Request-Timeout"
SECONDS = re.compile(r"\d{1,4}(\.\d{1,3})?")


class DeadlineMiddleware:
    """Sets the deadline; a deadline that was missed is 503, wherever it was noticed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._routes = configured_routes()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER)
        if given is not None and not is_time_limit(given):
            return error_response(
                InvalidInputError(f"{HEADER} is not a number of seconds above 0.")
            )
        with deadline(time_limit_s(self._routes.of(request.path), given)):
            return self.get_response(request)

    def process_exception(
        self, _request: HttpRequest, error: Exception
    ) -> HttpResponseBase | None:
        """Answer for views outside the API, which know no problems."""
        if isinstance(error, OperationalError):
            error = database_error(error)
        return error_response(error) if isinstance(error, DeadlineError) else None


def is_time_limit(text: str) -> bool:
    return SECONDS.fullmatch(text) is not None and float(text) > 0


def time_limit_s(route_class: str, given: str | None) -> float:
    """Return how long a request may take: what its class may, or less if it says so."""
    timeouts = settings.REQUEST_TIMEOUTS
    limit_s: float = timeouts.get(route_class, timeouts[DEFAULT])
    if given is not None and is_time_limit(given):
        return min(limit_s, float(given))
    return limit_s
