"""Print which caller may use each operation of the API."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.permissions import OR, OperandHolder
from rich.console import Console
from rich.table import Table

from riskplatform.api.endpoints import Endpoint
from riskplatform.kernel.commands import ApplicationCommand, add_json


class Operation(NamedTuple):
    """`callers` says what a key, a member or staff needs; all of it, where several."""

    operation: str
    method: str
    path: str
    callers: str


class Command(ApplicationCommand):
    help = (
        "Print each operation of the API with the callers who may use it: the scopes "
        "of keys and members, and the permissions of staff. What they see of it is "
        "said in docs/access.md."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_json(parser)

    def handle(self, **options: Any) -> None:
        operations = list_operations()
        if options["json"]:
            self.stdout.write(json.dumps([each._asdict() for each in operations]))
            return
        table = Table(box=None)
        for heading in ("operation", "method", "path", "callers"):
            table.add_column(heading, no_wrap=True)
        for each in operations:
            table.add_row(*each)
        out = StringIO()
        Console(file=out, width=220).print(table)
        self.stdout.write(out.getvalue())


def list_operations() -> list[Operation]:
    """List the operations by path and method."""
    found = _operations(get_resolver().url_patterns, "/")
    return sorted(found, key=lambda each: (each.path, each.method))


def _operations(
    patterns: Iterable[URLPattern | URLResolver], prefix: str
) -> Iterator[Operation]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _operations(pattern.url_patterns, path)
            continue
        view = getattr(pattern.callback, "view_class", None)
        endpoints: dict[str, Endpoint] = getattr(view, "endpoints", {})
        for method, endpoint in endpoints.items():
            callers = "; and ".join(map(_callers, endpoint.access))
            name = endpoint.function.__name__
            yield Operation(name, method, path, callers)


def _callers(permission: Any) -> str:
    if isinstance(permission, OperandHolder):
        operator: Any = permission.operator_class
        word = " or " if operator is OR else " and "
        parts = (permission.op1_class, permission.op2_class)
        return word.join(map(_callers, parts))
    return str(getattr(permission, "needed", "anybody"))
