"""The one log of unexpected failures, by the request id in the response."""

import logging
import sys
from typing import Any

from django.core.signals import got_request_exception
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from riskplatform.kernel.calls import current_calls

# Of requests, jobs and the worker; with tracebacks, at level ERROR.
error_log = logging.getLogger("riskplatform.errors")


def listen_for_errors() -> None:
    """Record what Django answers with 500, wherever in it the error was raised."""
    got_request_exception.connect(_record_current, dispatch_uid="error_log")


def record_error(error: BaseException, *, request: HttpRequest | None) -> None:
    """Record what broke a request; None if it broke before Django had read it."""
    if request is None:
        error_log.error("a request failed before it was read", exc_info=error)
        return
    error_log.error(
        "%s %s failed, asked by %s",
        request.method,
        route_of(request),
        principal_of(request),
        exc_info=error,
    )


def route_of(request: HttpRequest) -> str:
    """Give the pattern of the address, which names no object and holds no input."""
    match = request.resolver_match
    if match is None:
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return "an unknown address"
    return f"/{match.route}"


def principal_of(request: HttpRequest) -> str:
    """Name the key by its prefix or the user by number, as far as they are known.

    Nothing is read from the database, which may be what failed.
    """
    prefix = getattr(getattr(request, "auth", None), "prefix", None)
    if prefix is not None:
        return f"key {prefix}"
    number = getattr(getattr(request, "_cached_user", None), "pk", None)
    return "nobody known" if number is None else f"user {number}"


def note_principal(request: HttpRequest) -> None:
    """Say in the log of the request at work who sent it."""
    if (calls := current_calls.get()) is not None:
        calls.principal = principal_of(request)


def _record_current(request: HttpRequest | None = None, **_: Any) -> None:
    error = sys.exc_info()[1]
    if error is not None:
        record_error(error, request=request)
