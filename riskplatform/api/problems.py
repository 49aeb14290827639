"""Every error of the API as RFC 9457 problem+json."""

from collections.abc import Iterator
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
    InvalidInputError,
    NotFoundError,
    UnavailableError,
    database_error,
)

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "/problems/"
ERROR_PAGE = "500.html"


def handle_exception(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Map what a view raised to a problem; None lets an unknown error be a 500."""
    body, headers = _describe(exc)
    if body is None:
        return None
    set_rollback()
    return Response(
        body, status=body["status"], headers=headers, content_type=CONTENT_TYPE
    )


def problem(
    *, status: int, code: str, title: str, detail: str, **extra: Any
) -> dict[str, Any]:
    return {
        "type": TYPE_PREFIX + code.replace("_", "-"),
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
    return "".join(f"/{_escape(str(step))}" for step in steps)


def problem_response(body: dict[str, Any]) -> HttpResponse:
    """Answer outside DRF, for errors that no API view has seen."""
    return HttpResponse(
        msgspec.json.encode(body, enc_hook=str),
        status=body["status"],
        content_type=CONTENT_TYPE,
    )


def error_response(error: ApplicationError) -> HttpResponse:
    """Answer outside DRF for an error of the platform's own."""
    body, headers = _application_problem(error)
    response = problem_response(body)
    for name, value in headers.items():
        response.headers[name] = value
    return response


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
    page = loader.get_template(ERROR_PAGE)
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


def _describe(exc: Exception) -> tuple[dict[str, Any] | None, dict[str, str]]:
    if isinstance(exc, Http404):
        exc = NotFoundError("There is nothing at this address.")
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    elif isinstance(exc, RequestDataTooBig):
        exc = BodyTooLargeError("The body is larger than this server takes.")
    elif isinstance(exc, OperationalError):
        exc = database_error(exc)
    if isinstance(exc, ApplicationError):
        return _application_problem(exc)
    if isinstance(exc, exceptions.APIException):
        return _rest_framework_problem(exc)
    return None, {}


def _application_problem(
    exc: ApplicationError,
) -> tuple[dict[str, Any], dict[str, str]]:
    headers = {}
    if isinstance(exc, UnavailableError):
        headers["Retry-After"] = str(exc.retry_after_s)
    return problem_of(exc), headers


def _rest_framework_problem(
    exc: exceptions.APIException,
) -> tuple[dict[str, Any], dict[str, str]]:
    headers: dict[str, str] = {}
    if (scheme := getattr(exc, "auth_header", None)) is not None:
        headers["WWW-Authenticate"] = scheme
    if (wait_s := getattr(exc, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait_s) + 1)
    if isinstance(exc, exceptions.ValidationError):
        body = problem(
            status=InvalidInputError.status,
            code=InvalidInputError.code,
            title=InvalidInputError.title,
            detail="See errors for what to change.",
            errors=list(_pointers(exc.detail, "")),
        )
        return body, headers
    code = str(exc.default_code)
    body = problem(
        status=exc.status_code,
        code=code,
        title=code.replace("_", " ").capitalize(),
        detail=str(exc.detail),
    )
    return body, headers


def _pointers(detail: Any, pointer: str) -> Iterator[dict[str, str]]:
    """Flatten DRF's nested error detail to JSON pointers (RFC 6901)."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            step = "" if key == "non_field_errors" else f"/{_escape(str(key))}"
            yield from _pointers(value, pointer + step)
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            nested = isinstance(value, (dict, list))
            yield from _pointers(value, f"{pointer}/{index}" if nested else pointer)
    else:
        yield {
            "pointer": pointer,
            "code": getattr(detail, "code", "invalid"),
            "reason": str(detail),
        }


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
