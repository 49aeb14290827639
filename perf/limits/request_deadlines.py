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
        timeouts = settings.REQUEST_TIMEOUTS
        allowed_s = timeouts.get(self._routes.of(request.path), timeouts[DEFAULT])
        given = request.headers.get(HEADER)
        if given is not None:
            if not SECONDS.fullmatch(given) or float(given) == 0:
                return error_response(
                    InvalidInputError(f"{HEADER} is not a number of seconds above 0.")
                )
            allowed_s = min(allowed_s, float(given))
        with deadline(allowed_s):
            return self.get_response(request)

    def process_exception(
        self, _request: HttpRequest, error: Exception
    ) -> HttpResponseBase | None:
        """Answer for views outside the API, which know no problems."""
        if isinstance(error, OperationalError):
            error = database_error(error)
        return error_response(error) if isinstance(error, DeadlineError) else None
