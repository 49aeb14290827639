"""GET /problems/{code}: a page about each code of an error, which `type` names."""

from collections.abc import Iterator
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework import exceptions

from riskplatform.api.openapi import PROBLEMS
from riskplatform.kernel.errors import ApplicationError

# What a client does about an error, by the status of its answer.
ADVICE: Final = {
    400: "Send a body that is whole and has the form that its headers say.",
    401: "Send a key: Authorization: Bearer rp_… It may have been revoked or expired.",
    403: "Use a key or a membership that has the scope which `detail` names.",
    404: "Check the address and the names in it. What you may not see is absent too.",
    405: "Use a method that the operation has; /api/docs/ lists them.",
    406: "Ask for one of the formats that `detail` names.",
    409: "Read the present state, then decide. `detail` says what stands in the way.",
    412: "Read it again, and repeat the change with its new ETag.",
    413: "Send it in parts.",
    414: "Send less in the address: fewer values, or the operation that takes a body.",
    415: "Send one of the content types that the operation takes.",
    422: "Correct what `errors` points at; each reason says what to write.",
    429: "Wait for as long as Retry-After says, then go on.",
    500: "Quote `request_id` to the operators: the error is recorded under it.",
    503: "Wait for as long as Retry-After says, then repeat the request as it is.",
}
FRAMEWORK: Final = (
    exceptions.AuthenticationFailed,
    exceptions.MethodNotAllowed,
    exceptions.NotAuthenticated,
    exceptions.PermissionDenied,
    exceptions.Throttled,
)


def problem_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Say what a code means, and what to do; in the address it has hyphens."""
    code = slug.replace("-", "_")
    known = dict(_known())
    if code not in known:
        raise Http404
    title, status = known[code]
    context = {
        "code": code,
        "title": title,
        "status": status,
        "advice": ADVICE.get(status, ADVICE[422]),
    }
    return render(request, "problem.html", context)


def _known() -> Iterator[tuple[str, tuple[str, int]]]:
    """Give every code there is with its title and its status."""
    yield "internal_error", ("Something broke here", 500)
    for status, (_, code, _detail) in PROBLEMS.items():
        yield code, (_titled(code), int(status))
    for error in FRAMEWORK:
        code = str(error.default_code)
        yield code, (_titled(code), error.status_code)
    for kind in _below(ApplicationError):
        yield kind.code, (kind.title, kind.status)


def _titled(code: str) -> str:
    return code.replace("_", " ").capitalize()


def _below(kind: type[ApplicationError]) -> Iterator[type[ApplicationError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _below(below)
