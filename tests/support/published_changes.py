"""Watches every request of the tests: what is written has to be published.

A kept answer is dropped by name. A write that forgets to say its name would leave the
old answer standing until its time runs out, and no other test would notice.
"""

import re
import threading
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import connection

from riskplatform.kernel import changes

WRITE = re.compile(r'^\s*(INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?', re.IGNORECASE)
# What the names of changes of a table begin with.
KIND_OF_TABLE = {
    "scoring_region": "regions",
    "scoring_cell": "regions",
    "scoring_forecast": "forecast:",
    "scoring_portfolio": "portfolio:",
    "scoring_asset": "portfolio:",
    "scoring_assetplace": "portfolio:",
    "scoring_assessment": "assessments:",
    "scoring_alert": "alerts:",
    "scoring_alertrule": "alerts:",
}
# No cached response can depend on a portfolio that is not there yet.
NEW_PORTFOLIO = ("INSERT INTO", "scoring_portfolio")

Execute = Callable[..., Any]


class Watching:
    """Collects the tables written and the names published by one request."""

    def __init__(self) -> None:
        self.tables: set[str] = set()
        self.names: set[str] = set()
        self.faults: list[str] = []
        self.hooks: list[Any] = []

    def execute(
        self, execute: Execute, sql: str, params: Any, many: Any, context: Any
    ) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("ROLLBACK"):
            self.tables.clear()
        written = WRITE.match(sql)
        if written is not None and context["cursor"].rowcount != 0:
            verb, table = written[1].upper(), written[2]
            if table in KIND_OF_TABLE and (verb, table) != NEW_PORTFOLIO:
                self.tables.add(table)
        return result

    def begin(self, **_: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            # A response that nobody closed has left the request before open.
            self.end()
            self.tables, self.names = set(), set()
            self.hooks, connection.run_on_commit = connection.run_on_commit, []
            connection.execute_wrappers.append(self.execute)

    def end(self, **_: Any) -> None:
        if self.execute not in connection.execute_wrappers:
            return
        connection.execute_wrappers.remove(self.execute)
        for hook in connection.run_on_commit:
            if isinstance(hook[1], partial) and hook[1].func is changes._send:
                self.names |= hook[1].args[0]
        connection.run_on_commit = self.hooks + connection.run_on_commit
        for table in self.tables:
            kind = KIND_OF_TABLE[table]
            if not any(name.startswith(kind) for name in self.names):
                self.faults.append(f"{table} was written, no {kind} was published")

    def hear(self, names: frozenset[str]) -> None:
        self.names |= names


@pytest.fixture(autouse=True)
def what_is_written_is_published() -> Generator[None]:
    watching = Watching()
    changes.subscribe(watching.hear)
    request_started.connect(watching.begin, weak=False)
    request_finished.connect(watching.end, weak=False)
    yield
    request_started.disconnect(watching.begin)
    request_finished.disconnect(watching.end)
    watching.end()
    if watching.hear in changes._subscribers:
        changes._subscribers.remove(watching.hear)
    assert watching.faults == []
