"""Serve HTTP and WebSockets for development, on one port.

Daphne's command under its usual name, without daphne among the installed apps: that
would load Twisted into every process.
"""

from typing import Any

from daphne.management.commands import runserver
from django.conf import settings

DEVELOPMENT = "riskplatform.asgi.development"


class Command(runserver.Command):  # type: ignore[misc]  # daphne has no types
    def handle(self, *arguments: Any, **options: Any) -> None:
        settings.ASGI_APPLICATION = DEVELOPMENT
        super().handle(*arguments, **options)
