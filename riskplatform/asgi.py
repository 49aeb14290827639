"""Entry points of the realtime process (daphne).

`application` serves WebSockets and health probes. All else is for the web process,
which has limits; `development` serves it as well, on one port.
"""

import os
from typing import Any

import orjson
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "riskplatform.settings")
os.environ["RISKPLATFORM_PROCESS"] = "realtime"
django_application = get_asgi_application()

from riskplatform.api.error_boundary import AsgiErrorBoundary  # noqa: E402
from riskplatform.api.problems import CONTENT_TYPE, problem_of  # noqa: E402
from riskplatform.kernel.errors import NotFoundError  # noqa: E402

PROBES = "/health/"


async def probes_only(scope: Any, receive: Any, send: Any) -> None:
    """Answer probes; all other paths get a 404."""
    if scope["path"].startswith(PROBES):
        await django_application(scope, receive, send)
        return
    error = NotFoundError(
        "This port has WebSockets and /health/ only. Ask the port of the web."
    )
    headers = [(b"content-type", CONTENT_TYPE.encode()), (b"connection", b"close")]
    start = {"status": error.status, "headers": headers}
    await send({"type": "http.response.start", **start})
    body = orjson.dumps(problem_of(error))
    await send({"type": "http.response.body", "body": body})


def routed(http: Any) -> AsgiErrorBoundary:
    sockets = AllowedHostsOriginValidator(URLRouter([]))
    return AsgiErrorBoundary(ProtocolTypeRouter({"http": http, "websocket": sockets}))


application = routed(probes_only)
development = routed(django_application)
