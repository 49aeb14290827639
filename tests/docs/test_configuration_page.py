"""docs/configuration.md names every variable that is read, with its real default."""

import ast
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from riskplatform import request_limits, server_urls
from riskplatform.connection_policy import ConnectionPolicy
from riskplatform.embedded.attach import missing_variables
from riskplatform.kernel.heartbeat import VARIABLE as HEARTBEAT
from riskplatform.serving.web import WebSize

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("riskplatform", "scoring", "analytics", "perf")
READERS = re.compile(r"env_(str|optional|bool|int|list|folders|pairs|choice|secret)")
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
# Set by the entry points, not by people.
INTERNAL = {"RISKPLATFORM_PROCESS"}
# They have no default to read: servers are started, and the key is made.
MADE = {
    "DATABASE_URL": "SQLite in `var/`",
    "REDIS_URL": "embedded Valkey",
    "CLICKHOUSE_URL": "embedded ClickHouse",
    "SECRET_KEY": "made once in `var/`",
}


def documented() -> dict[str, str]:
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \| .* \| (.+?) \|$", page, re.MULTILINE)
    assert len(rows) == len(dict(rows))
    return dict(rows)


def read_defaults() -> dict[str, list[Any]]:
    """Collect the default of each read of the environment, by its variable."""
    found: dict[str, list[Any]] = defaultdict(list)
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for call in _reads(path):
                try:
                    name = _value(call.args[0], path)
                except NameError:
                    continue  # the name comes from a caller
                found[name].append(_default(call, path))
    return found


def _reads(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if READERS.fullmatch(node.func.id):
            yield node


def _default(call: ast.Call, path: Path) -> Any:
    given = [word.value for word in call.keywords if word.arg == "default"]
    expression = next(iter([*call.args[1:2], *given]), None)
    return None if expression is None else _value(expression, path)


def _value(expression: ast.expr, path: Path) -> Any:
    if isinstance(expression, ast.Constant):
        return expression.value
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return eval(ast.unparse(expression), vars(import_module(module)))  # noqa: S307 - our own code


def shown(value: Any) -> str:
    """Write a default as the page does, but for units."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        value = ",".join(f"{name}={it}" for name, it in value.items())
    if isinstance(value, list):
        value = ",".join(value)
    text = str(value or "").replace(f"{settings.VAR_DIR}/", "var/")
    text = "var/" if text == str(ROOT / "var") else text
    return f"`{text}`" if text else "none"


def plain(default: str) -> str:
    """Take the unit out of a documented number, and put a count in for words."""
    number, _, unit = default.partition(" ")
    if unit in UNITS:
        return str(int(number) * UNITS[unit])
    return str(os.cpu_count() or 1) if default == "one a core" else default


def read_limits() -> dict[str, Any]:
    """Give the limits that stand without a variable; readers of pairs add them."""
    timeouts_s = request_limits.request_timeouts({})
    return {
        "REQUEST_TIMEOUTS": {name: f"{it:g}" for name, it in timeouts_s.items()},
        "COST_LIMITS": request_limits.cost_limits({}),
        "RATE_LIMITS": request_limits.rate_limits({}),
    }


def test_every_documented_default_is_the_one_that_is_read() -> None:
    read = {name: {*map(shown, them)} for name, them in read_defaults().items()}
    read |= {name: {shown(limit)} for name, limit in read_limits().items()}
    read |= {name: {default} for name, default in MADE.items()}
    read |= {HEARTBEAT: {"none"}}
    page = {name: {plain(default)} for name, default in documented().items()}
    assert page == {name: it for name, it in read.items() if name not in INTERNAL}


def test_what_is_documented_as_made_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in MADE:
        monkeypatch.delenv(name, raising=False)
    assert missing_variables(postgres=False) == ["REDIS_URL", "CLICKHOUSE_URL"]
    databases = server_urls.configured_databases(
        Path("/var"), ConnectionPolicy(), is_embedded=True
    )
    assert databases["default"]["NAME"] == Path("/var/riskplatform.sqlite3")


def test_the_web_server_has_the_threads_that_settings_count_with() -> None:
    assert read_defaults()["WEB_THREADS"] == [WebSize().threads]
