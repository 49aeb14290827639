"""Middleware for people's browsers; programs that call the API pass it by.

A request of the API without a cookie has no session. What it gets all the same: the
headers that keep a browser from taking its response for a page.
"""

from typing import Any, Final

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware

API: Final = "/api/v1/"
# Of a response that is no page: nothing may be loaded, and nobody may frame it.
API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"


def is_api_call(request: HttpRequest) -> bool:
    return request.path_info.startswith(API) and "HTTP_COOKIE" not in request.META


class _ForBrowsers:
    """Goes before a middleware of Django's in the order of methods."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_api_call(request):
            passed: HttpResponseBase = self.get_response(request)
            return passed
        answered: HttpResponseBase = super().__call__(request)  # type: ignore[misc]  # Django's
        return answered


class Files(_ForBrowsers, WhiteNoiseMiddleware):  # type: ignore[misc]  # untyped
    pass


class Sessions(_ForBrowsers, SessionMiddleware):
    pass


class Users(_ForBrowsers, AuthenticationMiddleware):
    pass


class Messages(_ForBrowsers, MessageMiddleware):
    pass


class ContentPolicy(CSPMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        if not is_api_call(request):
            super().process_request(request)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not is_api_call(request):
            return super().process_response(request, response)
        response.headers[HEADER] = API_POLICY
        return response
