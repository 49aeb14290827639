"""A request has so much time; when it is up the answer says so."""

import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import RequestFactory

from perf.deadlines import deadline, remaining_s
from perf.limits.request_deadlines import DeadlineMiddleware
from riskplatform.kernel.errors import DeadlineError
from tests.support.factories import make_client, make_organisation

PATH = "/api/v1/regions"


def left_for(path: str, **headers: str) -> tuple[int, float]:
    """Answer what a view at this address has left."""
    left_s: list[float] = []

    def view(_: HttpRequest) -> HttpResponseBase:
        left_s.append(remaining_s() or 0.0)
        return HttpResponse()

    request = RequestFactory().get(path, headers=headers)
    status = DeadlineMiddleware(view)(request).status_code
    return status, left_s[0] if left_s else 0.0


@pytest.mark.parametrize(
    ("path", "most_s"),
    [(PATH, 30), ("/api/v1/assess/batch", 120), ("/api/v1/events/export?x=1", 300)],
)
def test_the_class_of_a_route_decides_how_long(path: str, most_s: float) -> None:
    status, left_s = left_for(path)
    assert status == 200
    assert most_s - 5 < left_s <= most_s


@pytest.mark.parametrize(("asked", "most_s"), [("2", 2), ("0.5", 0.5), ("9999", 30)])
def test_a_client_may_ask_for_less_but_not_for_more(asked: str, most_s: float) -> None:
    status, left_s = left_for(PATH, **{"X-Request-Timeout": asked})
    assert status == 200
    assert most_s - 0.4 < left_s <= most_s


@pytest.mark.parametrize("asked", ["", "0", "0.0", "-1", "soon", "1e3", "nan", "inf"])
def test_what_is_no_time_is_refused(asked: str) -> None:
    assert left_for(PATH, **{"X-Request-Timeout": asked}) == (422, 0.0)


@pytest.mark.django_db
def test_a_statement_that_was_stopped_is_a_problem_and_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def sleep(*_: object, **__: object) -> None:
        with deadline(0.1), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(30)")

    if connection.vendor != "postgresql":
        pytest.skip("SQLite stops no statement.")
    client = make_client(make_organisation("acme"))
    monkeypatch.setattr("riskplatform.api.keys.authentication.note_use", sleep)
    answer = client.get(PATH)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["code"] == "timed_out"


def test_a_page_outside_the_api_answers_the_same() -> None:
    middleware = DeadlineMiddleware(lambda _: HttpResponse())
    request = RequestFactory().get("/admin/")
    late = middleware.process_exception(request, DeadlineError("Late."))
    lost = middleware.process_exception(request, OperationalError())
    assert late is not None
    assert (late.status_code, late.headers["Retry-After"]) == (503, "1")
    assert lost is None
