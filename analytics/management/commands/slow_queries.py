"""`manage.py slow_queries`: the slowest queries on ClickHouse, and who asked them."""

from argparse import ArgumentTypeError
from typing import Any

import orjson
from django.core.management.base import CommandParser

from analytics.reads.slow_queries import SlowQuery, list_slow_queries
from perf.slo.burn_rates import is_window, seconds_of
from riskplatform.kernel.commands import ApplicationCommand, add_json

SHOWN_CHARS = 160


class Command(ApplicationCommand):
    help = (
        "List the slowest queries that ClickHouse has logged, the slowest first, with"
        " the ids of their requests. Reads only; safe to run at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since",
            type=_seconds,
            default="1h",
            metavar="TIME",
            help="How far back to look, such as 30m, 1h or 7d.",
        )
        parser.add_argument(
            "--min-ms",
            type=int,
            default=100,
            help="Shortest time that is slow; the embedded server logs from 50 on.",
        )
        parser.add_argument(
            "--limit", type=int, default=20, help="Queries to list at most."
        )
        add_json(parser)

    def handle(self, *, since: int, min_ms: int, limit: int, **options: Any) -> None:
        queries = list_slow_queries(since_s=since, min_ms=min_ms, limit=limit)
        if options["json"]:
            self.stdout.write(orjson.dumps(queries).decode())
            return
        for query in queries:
            self.stdout.write(_line(query))
        if not queries:
            self.stdout.write(f"ClickHouse has logged no query of {min_ms} ms or more.")


def _line(query: SlowQuery) -> str:
    failed = f" failed with {query.error_code}" if query.error_code else ""
    return (
        f"{query.at:%Y-%m-%d %H:%M:%S}Z {query.ms:>7,} ms {query.read_rows:>13,} rows"
        f"{failed}  {query.name or '-'}  [{query.request_id or '-'}]"
        f"  {query.statement[:SHOWN_CHARS]}"
    )


def _seconds(text: str) -> int:
    if not is_window(text):
        raise ArgumentTypeError("write a number with m, h or d, such as 1h.")
    return seconds_of(text)
