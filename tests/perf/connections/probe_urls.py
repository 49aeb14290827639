"""URLs that read the database through Django and through REST framework."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from prometheus_client import generate_latest
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Read(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, _request: Request) -> Response:
        return Response({"backend": backend(), "again": backend()})


def page(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{backend()}")


def live(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def metrics(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(generate_latest())


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


urlpatterns = [
    path("api/read", Read.as_view()),
    path("page", page),
    path("health/live", live),
    path("metrics", metrics),
]
