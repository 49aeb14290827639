"""Endpoints: one typed function each, from which its view and its schema are made.

The annotations of the function say what it takes and gives:

- `query` and `body` are structs; they are decoded, validated and documented.
- `precondition` is what If-Match asks for.
- It returns a struct, sent as JSON; None, which is 204; `Once`, made once for each
  Idempotency-Key; `WithHeaders`, an answer with headers of its own; or a response of
  Django's, sent as it is, which `answers` describes.

DRF authenticates, authorises, negotiates the format and catches errors; its
serializers, parsers and responses are not used, because a struct parses and writes
JSON many times faster and is its own schema.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import (
    Any,
    ClassVar,
    Final,
    Generic,
    TypedDict,
    TypeVar,
    Unpack,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from riskplatform.api.creating import IDEMPOTENCY_KEY, Once, answer_once_per_key
from riskplatform.api.inputs import decode_body, decode_query
from riskplatform.api.openapi import query_parameters, struct_schema
from riskplatform.api.preconditions import IF_MATCH, Precondition

Function = TypeVar("Function", bound=Callable[..., Any])
Answer = TypeVar("Answer")
# What a permission of DRF or a combination of some is.
Permission = Any

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class WithHeaders(Generic[Answer]):
    answer: Answer
    headers: Mapping[str, str]


class EndpointOptions(TypedDict, total=False):
    """What annotations do not say."""

    status: int
    # Schemas by status and media type, in place of that of what it returns.
    answers: Mapping[Any, Any]
    # Statuses of problems that the kind of the request does not tell of.
    problems: Iterable[int]
    # Schemas by media type of a body that the function reads by itself.
    bodies: Mapping[str, Any]
    authentication: tuple[type[BaseAuthentication], ...]
    renderers: tuple[type[BaseRenderer], ...]
    # Further attributes of the view, such as `edge`.
    view: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    function: Callable[..., Any]
    access: tuple[Permission, ...]
    options: EndpointOptions
    hints: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hints", get_type_hints(self.function))

    def respond(self, request: Request, **parts: Any) -> HttpResponseBase:
        if "query" in self.hints:
            parts["query"] = decode_query(request, self.hints["query"])
        if "body" in self.hints:
            parts["body"] = decode_body(request, self.hints["body"])
        if "precondition" in self.hints:
            parts["precondition"] = Precondition.of(request)
        answer, headers = self.function(request, **parts), None
        if isinstance(answer, HttpResponseBase):
            return answer
        if isinstance(answer, Once):
            return answer_once_per_key(request, answer, status=self.status)
        if isinstance(answer, WithHeaders):
            answer, headers = answer.answer, answer.headers
        if answer is None:
            empty = HttpResponse(status=204)
            del empty["Content-Type"]
            return empty
        return HttpResponse(
            msgspec.json.encode(answer),
            status=self.status,
            content_type=request.accepted_renderer.media_type,
            headers=headers,
        )

    @property
    def status(self) -> int:
        return self.options.get("status", 200)

    def method(self) -> Callable[..., HttpResponseBase]:
        """Make the method of a view, with its schema."""

        def respond(_: APIView, request: Request, **parts: Any) -> HttpResponseBase:
            return self.respond(request, **parts)

        documented: Callable[..., HttpResponseBase] = extend_schema(
            operation_id=self.function.__name__,
            description=self.function.__doc__ or "",
            parameters=list(self._parameters()),
            request=self._bodies(),
            responses=self._answers(),
        )(respond)
        return documented

    def _parameters(self) -> Iterable[Any]:
        if "query" in self.hints:
            yield from query_parameters(self.hints["query"])
        if "precondition" in self.hints:
            yield IF_MATCH
        if get_origin(self.hints["return"]) is Once:
            yield IDEMPOTENCY_KEY

    def _bodies(self) -> Mapping[str, Any] | None:
        if "body" in self.hints:
            return {JSON: struct_schema(self.hints["body"])}
        return self.options.get("bodies")

    def _answers(self) -> dict[Any, Any]:
        answers = dict(self.options.get("answers", {}))
        kind = self.hints["return"]
        if get_origin(kind) in {Once, WithHeaders}:
            (kind,) = get_args(kind)
        if kind is type(None):
            answers[204] = None
        elif not answers:
            answers[self.status, JSON] = struct_schema(kind)
        return answers | dict.fromkeys(self.options.get("problems", ()))


class EndpointView(APIView):
    """Base of the views that a router makes, one for each address."""

    endpoints: ClassVar[dict[str, Endpoint]]

    def get_permissions(self) -> list[BasePermission]:
        return [kind() for kind in self._endpoint().access]

    def get_authenticators(self) -> list[BaseAuthentication]:
        kinds = self._endpoint().options.get("authentication")
        if kinds is None:
            return super().get_authenticators()
        return [kind() for kind in kinds]

    def _endpoint(self) -> Endpoint:
        """Find what is asked for; what is not there is guarded like what was last."""
        method = getattr(getattr(self, "request", None), "method", None)
        wanted = "GET" if method in {"HEAD", "OPTIONS"} else method
        return self.endpoints.get(wanted or "", [*self.endpoints.values()][-1])


class Router:
    """Registers functions as endpoints, and gives their addresses to `urls.py`."""

    def __init__(self) -> None:
        self._views: dict[str, type[EndpointView]] = {}

    @property
    def urlpatterns(self) -> list[URLPattern]:
        return [
            path(route, view.as_view(), name=view.__name__.replace("_", "-"))
            for route, view in self._views.items()
        ]

    def get(
        self, route: str, *access: Permission, **options: Unpack[EndpointOptions]
    ) -> Callable[[Function], Function]:
        """Answer GET and HEAD for those whom every permission in `access` lets in."""
        return self._register("GET", route, access, options)

    def post(
        self, route: str, *access: Permission, **options: Unpack[EndpointOptions]
    ) -> Callable[[Function], Function]:
        return self._register("POST", route, access, options)

    def patch(
        self, route: str, *access: Permission, **options: Unpack[EndpointOptions]
    ) -> Callable[[Function], Function]:
        return self._register("PATCH", route, access, options)

    def delete(
        self, route: str, *access: Permission, **options: Unpack[EndpointOptions]
    ) -> Callable[[Function], Function]:
        return self._register("DELETE", route, access, options)

    def _register(
        self,
        method: str,
        route: str,
        access: tuple[Permission, ...],
        options: EndpointOptions,
    ) -> Callable[[Function], Function]:
        def register(function: Function) -> Function:
            endpoint = Endpoint(function, access, options)
            view = self._views.get(route)
            if view is None:
                view = type(function.__name__, (EndpointView,), {"endpoints": {}})
                self._views[route] = view
            view.endpoints[method] = endpoint
            setattr(view, method.lower(), endpoint.method())
            if "renderers" in options:
                view.renderer_classes = options["renderers"]
            for name, value in options.get("view", {}).items():
                setattr(view, name, value)
            return function

        return register
