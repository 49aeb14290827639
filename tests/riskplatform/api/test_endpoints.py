"""A typed function is an endpoint: what it takes, gives and who may call it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request

from riskplatform.api import openapi
from riskplatform.api.endpoints import Router, WithHeaders
from riskplatform.api.preconditions import Precondition

Call = Callable[..., HttpResponse]


class Nobody(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return False


class Wanted(msgspec.Struct):
    count: int = 1


class Given(msgspec.Struct):
    count: int
    tags: list[str]


@pytest.fixture(autouse=True)
def own_structs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The structs of a test are none of the platform's schema."""
    monkeypatch.setattr(openapi, "STRUCTS", {})


@pytest.fixture
def call() -> Call:
    router = Router()

    @router.get("things", AllowAny)
    def things_list(request: Request, query: Wanted) -> WithHeaders[Given]:
        return WithHeaders(Given(query.count, []), {"X-Count": str(query.count)})

    @router.post("things", AllowAny, status=201)
    def things_create(
        request: Request, body: Wanted, precondition: Precondition
    ) -> Given:
        return Given(body.count, sorted(precondition.tags))

    @router.delete("things", AllowAny, Nobody)
    def things_delete(request: Request) -> None:
        raise AssertionError

    @router.delete("others", AllowAny)
    def others_delete(request: Request) -> None:
        pass

    def send(method: str, path: str, body: str = "", **headers: str) -> HttpResponse:
        request = RequestFactory().generic(method, f"/{path}", body, headers=headers)
        (match,) = filter(
            None, (part.resolve(path.partition("?")[0]) for part in router.urlpatterns)
        )
        answer: HttpResponse = match.func(request, **match.kwargs)
        return answer

    return send


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_query_is_decoded_and_an_answer_written(method: str, call: Call) -> None:
    answer = call(method, "things?count=3")
    assert (answer.status_code, answer["X-Count"]) == (200, "3")
    assert answer["Content-Type"] == "application/json"
    assert answer.content == b'{"count":3,"tags":[]}'


def test_a_body_and_a_precondition_are_decoded(call: Call) -> None:
    answer = call("POST", "things", '{"count": 2}', **{"If-Match": '"a"'})
    assert answer.status_code == 201
    assert msgspec.json.decode(answer.content) == {"count": 2, "tags": ['"a"']}


def test_nothing_is_204_without_a_type(call: Call) -> None:
    answer = call("DELETE", "others")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
def test_what_is_not_there_is_guarded_like_what_was_last(
    method: str, call: Call
) -> None:
    assert call(method, "things").status_code == 401
    assert call(method, "others").status_code == (204 if method == "DELETE" else 405)


def test_an_endpoint_says_who_may_call_it() -> None:
    with pytest.raises(TypeError, match="access"):
        Router().get("open")  # type: ignore[call-arg]


def test_two_structs_of_one_name_are_refused() -> None:
    openapi.struct_schema(msgspec.defstruct("Twin", [("a", int)]))
    with pytest.raises(ValueError, match="Twin"):
        openapi.struct_schema(msgspec.defstruct("Twin", [("b", int)]))
