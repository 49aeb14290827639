"""Processes of their own on the databases of a test."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import psutil
from django.db import connections

ROOT = Path(__file__).resolve().parents[2]


def start_python(
    program: str, *arguments: str, stdin: IO[bytes] | None = None, **env: str
) -> "subprocess.Popen[str]":
    """Run a program after `django.setup()`, on this test's databases."""
    return subprocess.Popen(
        [sys.executable, "-c", f"import django\ndjango.setup()\n{program}", *arguments],
        cwd=ROOT,
        env={**os.environ, **database_urls(), **env},
        stdin=stdin,
        text=True,
    )


def database_urls() -> Mapping[str, str]:
    """Name the databases that the tests use, which are not those of the settings."""
    return {
        "DATABASE_URL": _default_url(),
        "CLICKHOUSE_URL": _renamed(os.environ["CLICKHOUSE_URL"], "clickhouse"),
    }


def _default_url() -> str:
    if connections["default"].vendor == "sqlite":
        return f"sqlite:///{connections['default'].settings_dict['NAME']}"
    return _renamed(os.environ["DATABASE_URL"], "default")


def _renamed(url: str, alias: str) -> str:
    name = connections[alias].settings_dict["NAME"]
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def is_running(pid: int) -> bool:
    """Tell whether a process does anything; a zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
