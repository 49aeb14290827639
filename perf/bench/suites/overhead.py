"""What stands around a view costs, layer by layer; `--suite overhead` runs it."""

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import orjson
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.test.utils import override_settings

from perf.bench.measurement import AnyMeasurement, Measurement, elapsed
from perf.bench.registry import registry
from perf.cache.edge.direct import DirectViews
from riskplatform.api.browser_middleware import API

VIEWS: Final = "perf.bench.peers.empty_views"
CALLS: Final = 200
# At most 1.5 times as long as the view that the framework's documentation shows.
WHOLE_STACK: Final = 1 / 1.5
COOKIE: Final = {"HTTP_COOKIE": "theme=dark"}

Application = Callable[..., Any]


@registry.suite("overhead")
def overhead() -> Iterator[AnyMeasurement]:
    """An empty view of the framework, bare (before), and what the platform has."""
    bare, whole = _handler([]), _handler(settings.MIDDLEWARE)
    ways: dict[str, tuple[Application, str, dict[str, str], float]] = {
        "a function of Django's, no middleware": (bare, "plain", {}, 1.0),
        "an endpoint, no middleware": (bare, "endpoint", {}, 0.9),
        "an endpoint, called directly": (DirectViews(whole), "endpoint", {}, 1.5),
        "an endpoint, all middleware": (whole, "endpoint", {}, WHOLE_STACK),
        "the same for a browser": (whole, "endpoint", COOKIE, 0.25),
    }
    with override_settings(ROOT_URLCONF=VIEWS):
        before = partial(_get, bare, "framework")
        for name, (app, view, headers, target) in ways.items():
            yield Measurement(
                name=name,
                before=before,
                after=partial(_get, app, view, **headers),
                meter=elapsed("µs"),
                check=lambda one, other: orjson.loads(one) == orjson.loads(other),
                target=target,
                calls=CALLS,
                single_core=True,
                # What requests leave behind is a part of their cost.
                collects_garbage=True,
            )


def _handler(middleware: list[str]) -> WSGIHandler:
    with override_settings(MIDDLEWARE=middleware):
        return WSGIHandler()


def _get(app: Application, view: str, **headers: str) -> bytes:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"{API}{view}",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "https" if settings.SECURE_SSL_REDIRECT else "http",
        "wsgi.input": io.BytesIO(),
        **headers,
    }
    parts = app(environ, _start)
    body = b"".join(parts)
    if (close := getattr(parts, "close", None)) is not None:
        close()
    return body


def _start(*_: Any) -> None:
    pass
