"""What stands around Django, from the outside in."""

from typing import Any

import pytest
from django.test import RequestFactory

from riskplatform.wsgi import application
from tests.support.wsgi_doubles import ask


def layers() -> list[str]:
    found: list[str] = []
    layer: Any = application
    while hasattr(layer, "_app"):
        found.append(type(layer).__name__)
        layer = layer._app
    return found


def test_limits_come_first_and_the_cache_last() -> None:
    assert layers() == [
        "ErrorBoundary",
        "Draining",
        "RateLimits",
        "Buffering",
        "Dispatching",
        # Once more, for what breaks in a thread of Dispatching.
        "ErrorBoundary",
        "EdgeCache",
    ]


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_a_request_passes_all_of_them() -> None:
    answer = ask(application, **RequestFactory().get("/health/live").environ)
    assert (answer.status, answer.body) == (200, b'{"status":"ok"}')
