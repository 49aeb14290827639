"""Serve WebSockets on daphne with a draining stop."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from riskplatform.api.structured_log import logged_process
from riskplatform.embedded.ports import LOOPBACK
from riskplatform.serving.realtime import DRAIN_TIMEOUT_S, DrainingDaphne


class Command(BaseCommand):
    help = (
        "Serve WebSockets and health probes. SIGTERM closes sockets with 1012 and lets "
        "requests in flight finish."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=LOOPBACK, help="address to listen on")
        parser.add_argument("--port", type=int, default=8001, help="port to listen on")
        parser.add_argument(
            "--drain-timeout",
            type=float,
            default=DRAIN_TIMEOUT_S,
            help="seconds that requests in flight may take after SIGTERM",
        )

    def handle(
        self, *, host: str, port: int, drain_timeout: float, **_options: Any
    ) -> None:
        server = DrainingDaphne(
            import_string(settings.ASGI_APPLICATION),
            host=host,
            port=port,
            drain_timeout_s=drain_timeout,
        )
        self.stdout.write(f"Serving WebSockets at ws://{host}:{port}/.")
        self.stdout.flush()
        with logged_process("realtime"):
            server.run()
        if not server.listened:
            raise CommandError(
                f"Port {port} on {host} cannot be opened; another process may have it. "
                "Choose another with --port."
            )
