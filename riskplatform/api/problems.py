"""Every error of the API as RFC 9457 problem+json."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseServerError,
)
from django.template import loader
from django.views.defaults import page_not_found
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from riskplatform.api.request_id import current_request_id
from riskplatform.kernel.errors import (
    ApplicationError,
    BodyTooLargeError,
    Field,
    NotFoundError,
    UnavailableError,
    database_error,
)

CONTENT_TYPE = "application/problem+json"


def handle_exception(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Map what a view raised to a problem; None lets an unknown error be a 500."""
    error = _known_error(exc)
    if isinstance(error, ApplicationError):
        body = problem_of(error)
    elif isinstance(error, exceptions.APIException):
        code = str(error.default_code)
        body = problem(
            status=error.status_code,
            code=code,
            title=code.replace("_", " ").capitalize(),
            detail=str(error.detail),
        )
    else:
        return None
    set_rollback()
    return Response(
        body,
        status=body["status"],
        headers=_headers_of(error),
        content_type=CONTENT_TYPE,
    )


def problem(
    *, status: int, code: str, title: str, detail: str, **extra: Any
) -> dict[str, Any]:
    return {
        "type": f"/problems/{code.replace('_', '-')}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        **extra,
        "request_id": current_request_id(),
    }


def problem_of(error: ApplicationError) -> dict[str, Any]:
    faults = [
        {"pointer": pointer_of(fault.field), **fault.facts, "reason": fault.reason}
        for fault in error.faults
    ]
    return problem(
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.message,
        **error.context,
        **({"errors": faults} if faults else {}),
    )


def pointer_of(field: Field) -> str:
    """Write where something stands as a JSON pointer (RFC 6901)."""
    steps = (field,) if isinstance(field, str) else field
    escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in steps)
    return "".join(f"/{step}" for step in escaped)


def problem_response(
    body: dict[str, Any], headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Answer outside DRF, for errors that no API view has seen."""
    return HttpResponse(
        msgspec.json.encode(body, enc_hook=str),
        status=body["status"],
        headers=headers,
        content_type=CONTENT_TYPE,
    )


def error_response(error: ApplicationError) -> HttpResponse:
    """Answer outside DRF for an error of the platform's own."""
    return problem_response(problem_of(error), _headers_of(error))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Handle 404 outside the API views: problem+json below /api/, else a page."""
    if not _is_api(request):
        return page_not_found(request, exception)
    error = NotFoundError(f"There is nothing at {request.path}.")
    return error_response(error)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Handle an unforeseen error: problem+json below /api/, else a page."""
    if _is_api(request):
        return problem_response(internal_problem())
    page = loader.get_template("500.html")
    return HttpResponseServerError(page.render({"request_id": current_request_id()}))


def internal_problem() -> dict[str, Any]:
    """Say what a client can do about an error that `riskplatform.errors` has."""
    return problem(
        status=500,
        code="internal_error",
        title="Something broke here",
        detail="The error was recorded. Quote the request id to the operator.",
    )


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _known_error(exc: Exception) -> Exception:
    """Give the error of the platform's own that says the same, where there is one."""
    if isinstance(exc, Http404):
        return NotFoundError("There is nothing at this address.")
    if isinstance(exc, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(exc, RequestDataTooBig):
        return BodyTooLargeError("The body is larger than this server takes.")
    return database_error(exc) if isinstance(exc, OperationalError) else exc


def _headers_of(error: Exception) -> dict[str, str]:
    if isinstance(error, UnavailableError):
        return {"Retry-After": str(error.retry_after_s)}
    scheme = getattr(error, "auth_header", None)
    return {} if scheme is None else {"WWW-Authenticate": scheme}
