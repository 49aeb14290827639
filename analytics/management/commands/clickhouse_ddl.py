"""`manage.py clickhouse_ddl`: the ClickHouse tables as SQL."""

import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from analytics.store.schema import DATABASE, all_statements

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Command(BaseCommand):
    help = (
        "Write the statements that build the ClickHouse tables, for one server or for"
        " a cluster. Writes text only; no server is contacted or changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--cluster",
            metavar="NAME",
            help="Replicated tables on each shard of this cluster, and distributed"
            " ones over them.",
        )
        parser.add_argument(
            "--database", help="Name of the database; that of CLICKHOUSE_URL."
        )

    def handle(
        self, *, cluster: str | None, database: str | None, **_options: Any
    ) -> None:
        named = database or str(connections[DATABASE].settings_dict["NAME"])
        for name in filter(None, (cluster, named)):
            if not NAME.match(name):
                raise CommandError(
                    f"{name!r} is no name for a cluster or a database. Use letters,"
                    " digits and underscores."
                )
        for statement in all_statements(cluster=cluster, database=named):
            self.stdout.write(f"{statement};")
