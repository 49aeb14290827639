"""Aliases of Django on the real PostgreSQL of the run, and the server's own view."""

import os
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connections

from riskplatform.connection_policy import ConnectionPolicy
from riskplatform.server_urls import default_database

URL = os.environ.get("DATABASE_URL", "")
needs_postgresql = pytest.mark.skipif(
    URL.startswith("sqlite"), reason="is about PostgreSQL"
)


@contextmanager
def alias_to(
    url: str, policy: ConnectionPolicy | None = None, *, name: str = "probe"
) -> Generator[Any]:
    """Give Django's connection to a database that no test transaction surrounds.

    Its backends have an application name that no other connection has.
    """
    database = connections.configure_settings(
        {"default": default_database(url, policy)}
    )["default"]
    database["OPTIONS"]["application_name"] = f"probe-{uuid.uuid4()}"
    connections.settings[name] = database
    try:
        yield connections[name]
    finally:
        wrapper: Any = connections[name]
        wrapper.close()
        wrapper.close_pool()
        del connections[name]
        del connections.settings[name]


@contextmanager
def server(url: str = URL) -> Generator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def end_backends(of: Any) -> int:
    """End every backend of an alias, as a failover would; count them."""
    with server() as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = %s",
            [of.settings_dict["OPTIONS"]["application_name"]],
        ).fetchall()
    return len(ended)


def backend_of(connection: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])
