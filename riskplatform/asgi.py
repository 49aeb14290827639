"""Entry points of the realtime process (daphne).

`application` serves WebSockets, one stream of events and health probes. All else is
for the web process, which has limits; `development` serves it as well, on one port.
"""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "riskplatform.settings")
os.environ["RISKPLATFORM_PROCESS"] = "realtime"
django_application = get_asgi_application()

from riskplatform.api.error_boundary import AsgiErrorBoundary  # noqa: E402
from riskplatform.kernel.errors import NotFoundError  # noqa: E402
from scoring.consumers.events import PATH as STREAM  # noqa: E402
from scoring.consumers.events import send_problem, stream_alerts  # noqa: E402
from scoring.consumers.routing import websocket_urlpatterns  # noqa: E402

PROBES = "/health/"


async def streams_and_probes(scope: Any, receive: Any, send: Any) -> None:
    """Answer probes and the stream of alerts; all other paths get a 404."""
    if scope["path"] == STREAM:
        await stream_alerts(scope, receive, send)
    elif scope["path"].startswith(PROBES):
        await django_application(scope, receive, send)
    else:
        reason = "This port has WebSockets, /api/v1/stream/alerts and /health/ only. "
        await send_problem(send, NotFoundError(f"{reason}Ask the port of the web."))


async def everything(scope: Any, receive: Any, send: Any) -> None:
    """Answer all that both processes do."""
    answer = stream_alerts if scope["path"] == STREAM else django_application
    await answer(scope, receive, send)


def routed(http: Any) -> AsgiErrorBoundary:
    sockets = URLRouter(websocket_urlpatterns)
    return AsgiErrorBoundary(ProtocolTypeRouter({"http": http, "websocket": sockets}))


application = routed(streams_and_probes)
development = routed(everything)
