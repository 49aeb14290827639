"""Endpoints: one typed function each, from which its view and its schema are made.

A function takes the request, the parameters of its path and, where it wants them,
`query` and `body`, structs that are decoded, validated and documented, and
`precondition`, which is what If-Match checks. Its return type says what it gives:

- a struct or a `Page`, sent as JSON; None, which is 204
- `Once`: made once for each Idempotency-Key
- `Rows`: a struct with a long list, written as its rows are made
- `WithHeaders`: an answer with headers of its own
- a response of Django's, sent as it is; `answers` describes it

DRF authenticates, authorises, negotiates the format and catches errors; its
serializers, parsers and responses are not used, because a struct parses and writes
JSON many times faster and is its own schema.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from inspect import getdoc, signature
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
)

import msgspec
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from riskplatform.api.creating import IDEMPOTENCY_KEY, Once, answer_once_per_key
from riskplatform.api.inputs import check_parameters, decode_body, decode_query
from riskplatform.api.openapi import query_parameters, struct_schema
from riskplatform.api.preconditions import IF_MATCH, Precondition
from riskplatform.api.renderers import Rows

Function = TypeVar("Function", bound=Callable[..., Any])
Answer = TypeVar("Answer")
# A class of permissions, or a combination of some.
Permission = Any

JSON: Final = "application/json"
VIEW_ATTRIBUTES: Final = {
    "edge": "edge",
    "negotiation": "content_negotiation_class",
    "renderers": "renderer_classes",
}


@dataclass(frozen=True, slots=True)
class WithHeaders(Generic[Answer]):
    answer: Answer
    headers: Mapping[str, str]


class Options(TypedDict, total=False):
    """What the signature of an endpoint does not say."""

    status: int
    deprecated: bool
    # Schemas by status and media type, instead of that of the return type.
    answers: Mapping[Any, Any]
    # Statuses of problems that do not follow from the kind of the request.
    problems: Iterable[int]
    # Schemas by media type of a body that the function reads by itself.
    bodies: Mapping[str, Any]
    authentication: Iterable[type[BaseAuthentication]]
    renderers: Iterable[type[BaseRenderer]]
    negotiation: type[BaseContentNegotiation]
    # How its answers are cached; `perf.cache.edge` looks for it.
    edge: object


class Endpoint:
    """A function, who may call it, and its options."""

    def __init__(
        self,
        function: Callable[..., Any],
        access: tuple[Permission, ...],
        options: Options,
    ) -> None:
        self.function = function
        self.access = access
        self.options = options
        self.status = options.get("status", 200)
        described = signature(function)
        self.takes = {
            name: part.annotation for name, part in described.parameters.items()
        }
        self.gives = described.return_annotation

    def respond(self, request: Request, **given: Any) -> HttpResponseBase:
        given |= self._inputs(request)
        answer, headers = self.function(request, **given), None
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
        is_rows = isinstance(answer, Rows)
        return HttpResponse(
            answer.encode() if is_rows else msgspec.json.encode(answer),
            status=self.status,
            content_type=request.accepted_renderer.media_type,
            headers=headers,
        )

    def _inputs(self, request: Request) -> Iterator[tuple[str, Any]]:
        if "query" in self.takes:
            yield "query", decode_query(request, self.takes["query"])
        elif request.META.get("QUERY_STRING"):
            check_parameters(request)
        if "body" in self.takes:
            yield "body", decode_body(request, self.takes["body"])
        if "precondition" in self.takes:
            yield "precondition", Precondition.of(request)

    def method(self) -> Callable[..., HttpResponseBase]:
        """Make the method of a view, with its schema."""

        def respond(_: APIView, request: Request, **given: Any) -> HttpResponseBase:
            return self.respond(request, **given)

        body, text = self.takes.get("body"), getdoc(self.function) or ""
        documented: Callable[..., HttpResponseBase] = extend_schema(
            operation_id=self.function.__name__,
            summary=" ".join(text.partition("\n\n")[0].split()).rstrip("."),
            description=text,
            deprecated=self.options.get("deprecated", False),
            parameters=list(self._parameters()),
            request={JSON: struct_schema(body)} if body else self.options.get("bodies"),
            responses=self._answers(),
        )(respond)
        return documented

    def _parameters(self) -> Iterable[Any]:
        if "query" in self.takes:
            yield from query_parameters(self.takes["query"])
        if "precondition" in self.takes:
            yield IF_MATCH
        if Once in {get_origin(part) for part in (self.gives, *get_args(self.gives))}:
            yield IDEMPOTENCY_KEY

    def _answers(self) -> dict[Any, Any]:
        answers, kind = dict(self.options.get("answers", {})), self.gives
        if get_origin(kind) in {Once, Rows, WithHeaders}:
            (kind,) = get_args(kind)
        if kind is None:
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
        """Find the endpoint of the method; without one the last declared guards it."""
        method = getattr(getattr(self, "request", None), "method", None)
        wanted = "GET" if method in {"HEAD", "OPTIONS"} else method
        return self.endpoints.get(wanted or "", [*self.endpoints.values()][-1])


class Router:
    """Registers functions as endpoints, and gives their addresses to `urls.py`."""

    def __init__(self) -> None:
        self._views: dict[str, type[EndpointView]] = {}
        self.get = partial(self._register, "GET")
        self.post = partial(self._register, "POST")
        self.put = partial(self._register, "PUT")
        self.patch = partial(self._register, "PATCH")
        self.delete = partial(self._register, "DELETE")

    @property
    def urlpatterns(self) -> list[URLPattern]:
        return [
            path(route, view.as_view(), name=view.__name__.replace("_", "-"))
            for route, view in self._views.items()
        ]

    def _register(
        self,
        method: str,
        route: str,
        access: Permission,
        *more: Permission,
        **options: Unpack[Options],
    ) -> Callable[[Function], Function]:
        """Make a function the endpoint of an address; every permission must agree."""

        def register(function: Function) -> Function:
            endpoint = Endpoint(function, (access, *more), options)
            view = self._views.get(route)
            if view is None:
                view = type(function.__name__, (EndpointView,), {"endpoints": {}})
                self._views[route] = view
            view.endpoints[method] = endpoint
            setattr(view, method.lower(), endpoint.method())
            for name in options.keys() & VIEW_ATTRIBUTES.keys():
                setattr(view, VIEW_ATTRIBUTES[name], options[name])  # type: ignore[literal-required]
            return function

        return register
