"""What a client is told to quote is in the log: with route, principal and traceback."""

import asyncio
import io
import logging
from collections.abc import Generator, Iterable
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client

from riskplatform.api.error_boundary import AsgiErrorBoundary, ErrorBoundary
from riskplatform.api.keys.models import ApiKey, Scope
from riskplatform.api.keys.services import issue_key
from riskplatform.api.log_lines import INDENT
from tests.support.factories import make_organisation
from tests.support.log_reading import errors_in, written_log

QUOTED = "quoted-1"
HEADERS = {"X-Request-ID": QUOTED}


@pytest.fixture
def log() -> Generator[io.StringIO]:
    with written_log() as written:
        yield written


@pytest.fixture
def failing(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.riskplatform.api.failing_urls"


def get(path: str, **headers: str) -> HttpResponseBase:
    client = Client(raise_request_exception=False)
    response: HttpResponseBase = client.get(path, headers={**HEADERS, **headers})
    return response


@pytest.mark.django_db
def test_a_problem_is_found_by_the_id_that_it_says_to_quote(
    log: io.StringIO, failing: None
) -> None:
    issued = issue_key(make_organisation(), name="test", scopes=[Scope.SCORES_READ])
    secret = issued.text.text
    response = get("/api/v1/failing/some-name", Authorization=f"Bearer {secret}")

    key = ApiKey.objects.get()
    assert response.status_code == 500
    [line] = errors_in(log)
    assert line.endswith(
        f" ERROR riskplatform.errors [{QUOTED}]: GET "
        f"/api/v1/failing/<slug:name> failed, asked by key {key.prefix}"
    )
    written = log.getvalue()
    assert "Traceback (most recent call last):" in written
    assert "in get\n" in written
    assert "some-name" not in line
    assert secret not in written
    assert secret.removeprefix(f"rp_{key.prefix}_") not in written


def test_what_an_error_says_forges_no_line(log: io.StringIO, failing: None) -> None:
    assert get("/pages/7").status_code == 500

    first, *rest = log.getvalue().splitlines()
    assert all(line.startswith(INDENT) for line in rest)
    assert rest[-1].strip().startswith("2026-01-01 CRITICAL root: forged\\x1b[31m")
    assert "\x1b" not in log.getvalue()
    assert "\r" not in log.getvalue()
    assert first.endswith("GET /pages/<int:number> failed, asked by nobody known")


def test_a_page_says_what_to_quote(log: io.StringIO, failing: None) -> None:
    response = Client(raise_request_exception=False).get("/pages/7", headers=HEADERS)

    assert response.status_code == 500
    assert f"<code>{QUOTED}</code>" in response.content.decode()
    assert len(errors_in(log)) == 1


@pytest.mark.django_db
def test_the_admin_names_the_user(
    log: io.StringIO, failing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("django.contrib.admin.sites.AdminSite.get_app_list", explode)
    client = Client(raise_request_exception=False)
    user = User.objects.create_superuser("root", password="root")
    client.force_login(user)

    assert client.get("/admin/", headers=HEADERS).status_code == 500

    [line] = errors_in(log)
    assert f"[{QUOTED}]: GET /admin/ failed, asked by user {user.pk}" in line


def test_middleware_that_fails_before_a_view_is_found(
    log: io.StringIO, failing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(_self: object, _request: HttpRequest) -> None:
        raise ZeroDivisionError

    name = "django.middleware.common.CommonMiddleware.process_request"
    monkeypatch.setattr(name, explode)

    assert get("/pages/7").status_code == 500
    assert get("/nowhere").status_code == 500

    known, unknown = errors_in(log)
    assert f"[{QUOTED}]: GET /pages/<int:number> failed" in known
    assert f"[{QUOTED}]: GET an unknown address failed" in unknown


def ask(app: Any, path: str) -> tuple[list[tuple[str, Any]], Iterable[bytes]]:
    environ: dict[str, Any] = {"PATH_INFO": path, "HTTP_X_REQUEST_ID": QUOTED}
    setup_testing_defaults(environ)
    answers: list[tuple[str, Any]] = []
    body = app(environ, lambda status, headers, *_: answers.append((status, headers)))
    return answers, body


@pytest.mark.django_db
def test_every_line_of_a_request_carries_its_id(log: io.StringIO) -> None:
    [(status, _)], _ = ask(ErrorBoundary(WSGIHandler()), "/api/v1/nothing")
    logging.getLogger("elsewhere").warning("outside of requests")

    assert status == "404 Not Found"
    assert f"WARNING django.request [{QUOTED}]: Not Found" in log.getvalue()
    assert "WARNING elsewhere [-]: outside of requests" in log.getvalue()


@pytest.mark.django_db
def test_a_stream_that_breaks_half_way(log: io.StringIO, failing: None) -> None:
    [(status, headers)], body = ask(ErrorBoundary(WSGIHandler()), "/streams/7")
    chunks = iter(body)

    assert status == "200 OK"
    assert ("X-Request-ID", QUOTED) in headers
    assert next(chunks) == b"first,"
    with pytest.raises(ValueError, match="forged"):
        next(chunks)

    body.close()  # type: ignore[attr-defined]  # as a server does
    [line] = errors_in(log)
    assert f"[{QUOTED}]: GET /streams/<int:number> failed" in line
    assert "in rows\n" in log.getvalue()


def test_what_fails_before_django_is_answered_and_recorded(log: io.StringIO) -> None:
    def broken(_environ: object, _start: object) -> list[bytes]:
        raise ZeroDivisionError

    [(status, headers)], body = ask(ErrorBoundary(broken), "/api/v1/regions")

    assert status == "500 Internal Server Error"
    assert ("X-Request-ID", QUOTED) in headers
    assert QUOTED.encode() in b"".join(body)
    [line] = errors_in(log)
    assert f"[{QUOTED}]: a request failed before it was read" in line
    assert "ZeroDivisionError" in log.getvalue()


def test_a_websocket_that_breaks_is_closed_and_recorded(log: io.StringIO) -> None:
    async def broken(_scope: object, _receive: object, _send: object) -> None:
        raise ZeroDivisionError

    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "headers": [(b"x-request-id", QUOTED.encode())]}
    asyncio.run(AsgiErrorBoundary(broken)(scope, receive, send))

    assert sent == [{"type": "websocket.close", "code": 1011}]
    [line] = errors_in(log)
    assert line.endswith(f"ERROR riskplatform.errors [{QUOTED}]: a WebSocket failed")
    assert "ZeroDivisionError" in log.getvalue()
