"""Addresses whose views fail, each in a way of its own."""

from collections.abc import Iterator

from django.contrib import admin
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_scope

FORGED = "no\r\n2026-01-01 CRITICAL root: forged\x1b[31m"


class FailsForAKey(APIView):
    permission_classes = (has_scope(Scope.SCORES_READ),)

    def get(self, _request: Request, **_: object) -> Response:
        raise ValueError(FORGED)


def fail(_request: HttpRequest, **_: object) -> HttpResponseBase:
    raise ValueError(FORGED)


def fail_half_way(_request: HttpRequest, **_: object) -> HttpResponseBase:
    def rows() -> Iterator[bytes]:
        yield b"first,"
        raise ValueError(FORGED)

    return StreamingHttpResponse(rows())


urlpatterns = [
    path("api/v1/failing/<slug:name>", FailsForAKey.as_view()),
    path("pages/<int:number>", fail),
    path("streams/<int:number>", fail_half_way),
    path("admin/", admin.site.urls),
]
handler404 = "riskplatform.api.problems.not_found"
handler500 = "riskplatform.api.problems.server_error"
