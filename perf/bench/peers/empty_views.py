"""Views that do nothing: as Django REST framework documents one, and one of ours."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from msgspec import Struct
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from riskplatform.api.browser_middleware import API
from riskplatform.api.endpoints import Router

router = Router()


class Nothing(Struct):
    status: str = "ok"


class FrameworkView(APIView):
    permission_classes = (AllowAny,)
    renderer_classes = (JSONRenderer,)

    def get(self, _request: Request) -> Response:
        return Response({"status": "ok"})


@router.get("endpoint", AllowAny)
def endpoint(_request: Request) -> Nothing:
    return Nothing()


def plain(_request: HttpRequest, **_: Any) -> HttpResponse:
    return HttpResponse(b'{"status":"ok"}', content_type="application/json")


PREFIX = API.removeprefix("/")
urlpatterns = [
    path(f"{PREFIX}plain", plain),
    path(f"{PREFIX}framework", FrameworkView.as_view()),
    *(path(f"{PREFIX}endpoint", pattern.callback) for pattern in router.urlpatterns),
]
