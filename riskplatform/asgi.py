"""Entry point of the realtime process (daphne); it answers plain HTTP too."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

from riskplatform.api.error_boundary import AsgiErrorBoundary

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "riskplatform.settings")
os.environ["RISKPLATFORM_PROCESS"] = "realtime"

application = AsgiErrorBoundary(
    ProtocolTypeRouter(
        {
            "http": get_asgi_application(),
            "websocket": AllowedHostsOriginValidator(URLRouter([])),
        }
    )
)
