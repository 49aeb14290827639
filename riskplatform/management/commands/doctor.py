"""Check every dependency of the platform and say how to fix what is wrong."""

import json
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from perf.connections.capacity import check_capacity
from riskplatform.embedded import diagnosis
from riskplatform.embedded.attach import missing_variables
from riskplatform.embedded.diagnosis import FAILING, MISSING, OK, Diagnosis
from riskplatform.embedded.errors import EmbeddedServerError
from riskplatform.embedded.ownership import living_owner, published_endpoints
from riskplatform.embedded.server import Site, owned_site
from riskplatform.embedded.server_group import SERVER_OF_VARIABLE, ServerGroup
from riskplatform.env import env_secret

MIGRATE_FIX = "manage.py migrate (`manage.py up` does it by itself)"


class Command(BaseCommand):
    help = "Check every dependency and say how to fix what is wrong."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, **options: Any) -> None:
        findings: list[Diagnosis] = []
        for finding in examine(settings.VAR_DIR):
            findings.append(finding)
            if not options["json"]:
                self._show(finding)
        if options["json"]:
            self.stdout.write(as_json(findings))
        blocking = [finding.name for finding in findings if finding.blocks]
        if blocking:
            raise CommandError(f"Not ready: {', '.join(blocking)}.")
        if not options["json"]:
            self.stdout.write(self.style.SUCCESS("Everything required is there."))

    def _show(self, finding: Diagnosis) -> None:
        style = {
            OK: self.style.SUCCESS,
            MISSING: self.style.WARNING,
            FAILING: self.style.ERROR,
        }[finding.state]
        optional = "" if finding.required else " (optional)"
        state = style(f"{finding.state:<8}")
        self.stdout.write(f"{state} {finding.name}{optional}: {finding.detail}")
        if finding.state != OK:
            self.stdout.write(f"{'':<8} fix: {finding.fix}")


def examine(var: Path) -> Iterator[Diagnosis]:
    """Go through all dependencies, the quick ones first."""
    supervisor_runs = living_owner(var) is not None
    yield diagnosis.check_python()
    yield diagnosis.check_packages("base", required=True)
    yield diagnosis.check_packages("embedded", required=bool(missing_variables()))
    yield diagnosis.check_packages("dev", required=False)
    yield diagnosis.check_folder(var)
    yield diagnosis.check_disk(var)
    yield diagnosis.check_ports(supervisor_runs=supervisor_runs)
    yield from check_all_servers(var)
    yield check_migrations("default")
    yield from check_connections()
    if env_secret("CLICKHOUSE_URL"):
        yield check_migrations("clickhouse")
    yield diagnosis.check_metrics((published_endpoints(var) or {}).get("metrics"))
    yield from map(diagnosis.check_tool, diagnosis.TOOLS)


def check_all_servers(var: Path) -> Iterator[Diagnosis]:
    """Check the servers in use, and try out an embedded one for each other."""
    urls = {name: env_secret(name) for name in SERVER_OF_VARIABLE}
    running = published_endpoints(var) or {}
    for name, url in urls.items():
        if url is not None:
            source = "running" if url == running.get(name) else "given by its URL"
            yield diagnosis.check_server(name, url, source)
    left = missing_variables()
    yield from try_embedded_servers(left)
    if urls["DATABASE_URL"] is None and "DATABASE_URL" not in left:
        file = settings.DATABASES["default"]["NAME"]
        yield diagnosis.check_database(f"sqlite:///{file}", "embedded")


def try_embedded_servers(variables: list[str]) -> Iterator[Diagnosis]:
    if not variables:
        return
    with temporary_site() as site:
        try:
            with ServerGroup(site, variables) as group:
                for name, url in group.urls.items():
                    yield diagnosis.check_server(name, url, "embedded, on trial")
        except EmbeddedServerError as error:
            yield Diagnosis(
                name="embedded servers",
                state=FAILING,
                detail=error.message,
                fix="make setup, or set the URLs of servers of your own.",
            )


@contextmanager
def temporary_site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="riskplatform-doctor-") as name:
        folder = Path(name)
        # PostgreSQL runs as another account when the command runs as root.
        folder.chmod(0o711)
        with owned_site(folder, durable=False) as site:
            site.reaper.remove_afterwards(folder)
            yield site


def check_migrations(alias: str) -> Diagnosis:
    name = f"migrations ({alias})"
    if alias == "default" and is_new_sqlite():
        return Diagnosis(
            name=name,
            state=MISSING,
            detail="the database is not made yet",
            fix=MIGRATE_FIX,
            required=False,
        )
    try:
        pending = pending_migrations(alias)
    except DatabaseError as error:
        return Diagnosis(
            name=name, state=FAILING, detail=str(error).splitlines()[0], fix=MIGRATE_FIX
        )
    listed = f"{len(pending)} not applied: {', '.join(pending[:5])}"
    return Diagnosis(
        name=name,
        state=FAILING if pending else OK,
        detail=listed if pending else "all applied",
        fix=MIGRATE_FIX,
    )


def check_connections() -> Iterator[Diagnosis]:
    """Hold what the processes may open against the limit of a PostgreSQL server."""
    try:
        warnings = check_capacity("default")
    except DatabaseError:
        # That it does not answer has been said.
        return
    for warning in warnings:
        yield Diagnosis(
            name="connections",
            state=FAILING,
            detail=warning.msg,
            fix=str(warning.hint),
            required=False,
        )


def is_new_sqlite() -> bool:
    database = settings.DATABASES["default"]
    return "sqlite3" in database["ENGINE"] and not Path(database["NAME"]).exists()


def pending_migrations(alias: str) -> list[str]:
    """List what `migrate` would apply; ClickHouse holds the facts' tables only."""
    executor = MigrationExecutor(connections[alias])
    targets = [
        node
        for node in executor.loader.graph.leaf_nodes()
        if alias == "default" or node[0] == "analytics"
    ]
    return [str(migration) for migration, _ in executor.migration_plan(targets)]


def as_json(findings: list[Diagnosis]) -> str:
    ready = not any(finding.blocks for finding in findings)
    rows = [asdict(finding) for finding in findings]
    return json.dumps({"ready": ready, "findings": rows}, indent=2)
