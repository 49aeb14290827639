"""Run the whole product on this machine until Ctrl-C."""

import os
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from riskplatform.embedded.attach import missing_variables
from riskplatform.embedded.errors import AlreadyRunningError, EmbeddedServerError
from riskplatform.embedded.ownership import FolderOwnership
from riskplatform.embedded.server import Server, Service, Site, owned_site
from riskplatform.embedded.server_group import ServerGroup
from riskplatform.env import env_choice, env_secret
from riskplatform.management.first_admin import PASSWORD_FILE, USERNAME
from riskplatform.serving.metrics import PORT as METRICS_PORT
from riskplatform.serving.processes import (
    MetricsServer,
    RealtimeServer,
    WebServer,
    WorkerService,
    manage,
)
from riskplatform.serving.supervisor import StopRequestedError, Supervisor
from riskplatform.serving.web import WebSize

DATABASES = frozenset({"sqlite", "postgres"})


class Command(BaseCommand):
    help = (
        "Run web, realtime, worker and metrics, with a server of its own for every "
        "URL that is not set. Ctrl-C stops all."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        for option, default, text in (
            ("--port", 8000, "port of the web"),
            ("--realtime-port", 8001, "port of the realtime"),
            ("--metrics-port", METRICS_PORT, "port of /metrics, on loopback only"),
            ("--workers", settings.WEB_WORKERS, "processes of the web"),
            ("--threads", settings.WEB_THREADS, "threads of each of them"),
        ):
            parser.add_argument(option, type=int, default=default, help=text)
        parser.add_argument(
            "--database",
            choices=sorted(DATABASES),
            default=env_choice("RISKPLATFORM_DATABASE", "sqlite", DATABASES),
            help="what to use where DATABASE_URL is not set",
        )
        parser.add_argument(
            "--demo",
            action="store_true",
            help="load the demo beside, and say how far it is; maps show as they come",
        )
        for name in ("web", "realtime", "worker", "metrics"):
            parser.add_argument(
                f"--no-{name}", action="store_true", help=f"run without the {name}"
            )

    def handle(self, **options: Any) -> None:
        var: Path = settings.VAR_DIR
        ownership = FolderOwnership(var)
        try:
            ownership.claim("manage.py up")
        except AlreadyRunningError as error:
            raise CommandError(error.message) from error
        try:
            with owned_site(var, max_log_bytes=settings.LOG_MAX_BYTES) as site:
                supervisor = Supervisor(site=site, say=self._say)
                with supervisor.signals_handled():
                    self._run(supervisor, site, ownership, options)
        finally:
            ownership.release()

    def _run(
        self,
        supervisor: Supervisor,
        site: Site,
        ownership: FolderOwnership,
        options: Mapping[str, Any],
    ) -> None:
        started_s = time.monotonic()
        try:
            bring_up_servers(supervisor, site, options["database"])
            no_static = options["no_web"] and options["no_realtime"]
            arguments = ["prepare", *(["--no-static"] if no_static else [])]
            arguments += ["--first-admin"] if settings.EMBEDDED else []
            supervisor.run_step("prepare", manage(*arguments))
            services = chosen_services(site, options)
            supervisor.bring_up(services)
            ownership.publish(published_urls(services))
            self._say_ready(services, site, took_s=time.monotonic() - started_s)
            if options["demo"]:
                supervisor.run_beside("demo", manage("demo"))
            supervisor.watch()
        except StopRequestedError:
            self._say("asked to stop before everything was up")
        except EmbeddedServerError as error:
            raise CommandError(error.message) from error
        finally:
            supervisor.stop()
        self._say("everything is stopped")

    def _say_ready(self, services: list[Service], site: Site, *, took_s: float) -> None:
        # Of the web, where it runs.
        last = sorted(services, key=lambda service: service.name != "web")
        address = next((service.address for service in last), "")
        self._say(f"up after {took_s:.1f} s: {address}/  Ctrl-C stops")
        password = site.var / PASSWORD_FILE
        if password.exists():
            self._say(f"staff signs in as {USERNAME}, password in {password}")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def bring_up_servers(supervisor: Supervisor, site: Site, database: str) -> None:
    """Start what no URL names, and let the environment name it from now on."""
    os.environ["RISKPLATFORM_VAR"] = str(site.var)
    missing = missing_variables(postgres=database == "postgres")
    group = ServerGroup(site, missing, usual_ports=True)
    supervisor.bring_up(list(group.servers.values()))
    os.environ.update(group.urls)
    if env_secret("DATABASE_URL") is None:
        os.environ["DATABASE_URL"] = f"sqlite:///{site.var / 'riskplatform.sqlite3'}"


def chosen_services(site: Site, options: Mapping[str, Any]) -> list[Service]:
    services: list[Service] = []
    metrics = None
    counts = not all(options[f"no_{name}"] for name in ("web", "realtime", "worker"))
    if counts and not options["no_metrics"]:
        # First, so that it finds no counts but those of a run before.
        port = options["metrics_port"]
        metrics = MetricsServer(site, preferred_port=port)
        services.append(metrics)
    if not options["no_web"]:
        size = WebSize(workers=options["workers"], threads=options["threads"])
        services.append(WebServer(site, preferred_port=options["port"], size=size))
    if not options["no_realtime"]:
        port = options["realtime_port"]
        services.append(RealtimeServer(site, preferred_port=port))
    if not options["no_worker"]:
        services.append(WorkerService(site, metrics=metrics))
    return services


def published_urls(services: list[Service]) -> dict[str, str]:
    """Collect what other commands and people may want to reach."""
    names = ("DATABASE_URL", "REDIS_URL", "CLICKHOUSE_URL")
    servers = {name: env_secret(name) or "" for name in names}
    own = {
        service.name: service.url for service in services if isinstance(service, Server)
    }
    return {**servers, **own}
