"""What this machine has and lacks, and whether its servers answer."""

import http.client
import os
import shutil
import sqlite3
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis
from clickhouse_driver import Client
from clickhouse_driver.errors import Error as ClickHouseError

from riskplatform.embedded.ports import is_free

CHECKOUT = Path(__file__).resolve().parents[2]
OLDEST_PYTHON = (3, 11)
WANTED_FREE_GB = 2.0
NEEDED_FREE_GB = 0.5
SHOWN_PACKAGES = 5
PORTS = {
    "web": 8000,
    "realtime": 8001,
    "metrics": 8002,
    "valkey": 6379,
    "clickhouse": 9000,
}
# What each optional tool is for, and the programs that will do.
TOOLS = {
    "chromium": ("browser tests", ("chromium", "chromium-browser", "google-chrome")),
    "wrk": ("load tests", ("wrk",)),
    "prometheus": ("checks of the alert rules", ("promtool",)),
    "nginx": ("checks of the proxy configuration", ("nginx",)),
}

TIMEOUT_S = 5
# Prometheus reads every 15 s.
UNREAD_S = 300.0
# H3 in the engine joins events to cells; t-digests summarise severities.
CLICKHOUSE_PROBE = (
    "SELECT version(), length(h3kRing(geoToH3(-87.6, 41.9, toUInt8(8)), 1)),"
    " length(quantilesTDigest(0.5, 0.9)(number)) FROM numbers(10)"
)

OK, MISSING, FAILING = "ok", "missing", "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The state of one dependency, and what to do when it is not well."""

    name: str
    state: str
    detail: str
    fix: str = ""
    required: bool = True

    @property
    def blocks(self) -> bool:
        return self.required and self.state != OK


def check_python() -> Diagnosis:
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Diagnosis(
        name="python",
        state=OK if sys.version_info >= OLDEST_PYTHON else FAILING,
        detail=f"{sys.version.split()[0]} at {sys.executable}",
        fix=f"Install Python {wanted} or newer and run `make setup` again.",
    )


def check_packages(purpose: str, *, required: bool) -> Diagnosis:
    """Compare what is installed with the exact versions of one requirements file."""
    file = CHECKOUT / "requirements" / f"{purpose}.txt"
    wrong = [problem for problem in map(_package_problem, _pins(file)) if problem]
    more = f" and {len(wrong) - SHOWN_PACKAGES} more" if wrong[SHOWN_PACKAGES:] else ""
    return Diagnosis(
        name=f"packages ({purpose})",
        state=MISSING if wrong else OK,
        detail=(", ".join(wrong[:SHOWN_PACKAGES]) + more)
        or f"{len(_pins(file))} packages as pinned",
        fix="make setup-dev" if purpose == "dev" else "make setup",
        required=required,
    )


def check_disk(var: Path) -> Diagnosis:
    existing = _existing(var)
    free_gb = shutil.disk_usage(existing).free / 1e9
    return Diagnosis(
        name="disk",
        state=OK if free_gb >= WANTED_FREE_GB else FAILING,
        detail=f"{free_gb:.1f} GB free at {existing}",
        fix=f"Free {WANTED_FREE_GB:g} GB, or set RISKPLATFORM_VAR to another disk.",
        required=free_gb < NEEDED_FREE_GB,
    )


def check_folder(var: Path) -> Diagnosis:
    existing = _existing(var)
    return Diagnosis(
        name="data folder",
        state=OK if os.access(existing, os.W_OK | os.X_OK) else FAILING,
        detail=f"{var}" if var.exists() else f"{var} will be created",
        fix=f"Make {existing} writable, or set RISKPLATFORM_VAR.",
    )


def check_ports(*, supervisor_runs: bool) -> Diagnosis:
    busy = [f"{name} {port}" for name, port in PORTS.items() if not is_free(port)]
    if supervisor_runs:
        detail = "in use by the running `manage.py up`"
    elif busy:
        detail = f"busy: {', '.join(busy)}; `manage.py up` takes others and names them"
    else:
        detail = "all free"
    return Diagnosis(name="ports", state=OK, detail=detail, required=False)


def check_tool(name: str) -> Diagnosis:
    purpose, programs = TOOLS[name]
    found = next(filter(None, map(shutil.which, programs)), None)
    return Diagnosis(
        name=name,
        state=OK if found else MISSING,
        detail=found or f"not installed; only for {purpose}",
        fix="make setup-extras",
        required=False,
    )


def check_metrics(url: str | None) -> Diagnosis:
    """Ask the process that serves metrics whether anybody reads them."""
    fix = (
        "Give Prometheus deploy/monitoring/prometheus.yml and its rules "
        "(docs/monitoring.md)."
    )
    if url is None:
        state, detail = MISSING, "not served; `manage.py up` does, unless --no-metrics"
        fix = "manage.py up, or python -m riskplatform.serving.metrics"
    elif (age_s := _last_scrape_s(url)) is None:
        state, detail = FAILING, f"{url} does not answer"
        fix = "See metrics.log in the folder of logs; `manage.py up` starts it again."
    elif age_s > UNREAD_S:
        state, detail = MISSING, f"served at {url}/metrics, and nobody reads them"
    else:
        state, detail = OK, f"{url}/metrics was read {age_s:.0f} s ago"
    return Diagnosis(
        name="monitoring", state=state, detail=detail, fix=fix, required=False
    )


def _last_scrape_s(url: str) -> float | None:
    """Give the age of the last scrape, infinite where none was; None if it is gone."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=TIMEOUT_S
    )
    try:
        connection.request("GET", "/health/live")
        said = connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    age = said.rpartition(": ")[2]
    return float(age) if age.isdigit() else float("inf")


def check_server(variable: str, url: str, source: str) -> Diagnosis:
    """Talk to the server behind a URL; `source` says who runs it."""
    check = {
        "REDIS_URL": check_redis,
        "CLICKHOUSE_URL": check_clickhouse,
        "DATABASE_URL": check_database,
    }[variable]
    return check(url, source)


def check_redis(url: str, source: str) -> Diagnosis:
    try:
        with redis.Redis.from_url(url, socket_timeout=TIMEOUT_S) as client:
            facts = client.info("server")
    except redis.RedisError as error:
        return _unreachable("redis", "REDIS_URL", url, error)
    version = facts.get("valkey_version") or facts.get("redis_version")
    name = "Valkey" if "valkey_version" in facts else "Redis"
    return Diagnosis(name="redis", state=OK, detail=f"{name} {version} ({source})")


def check_clickhouse(url: str, source: str) -> Diagnosis:
    client = Client.from_url(
        f"{url}?connect_timeout={TIMEOUT_S}&send_receive_timeout={TIMEOUT_S}"
    )
    try:
        [(version, ring, quantiles)] = client.execute(CLICKHOUSE_PROBE)
    except (ClickHouseError, EOFError, OSError) as error:
        return _unreachable("clickhouse", "CLICKHOUSE_URL", url, error)
    finally:
        client.disconnect()
    return Diagnosis(
        name="clickhouse",
        state=OK if (ring, quantiles) == (7, 2) else FAILING,
        detail=f"ClickHouse {version}, H3 and t-digest functions work ({source})",
        fix="Use ClickHouse 24.3 or newer, built with H3.",
    )


def check_database(url: str, source: str) -> Diagnosis:
    if urlsplit(url).scheme == "sqlite":
        return _check_sqlite(Path(urlsplit(url).path.removeprefix("/")))
    try:
        with psycopg.connect(url, connect_timeout=TIMEOUT_S) as connection:
            version = connection.info.parameter_status("server_version")
    except psycopg.Error as error:
        return _unreachable("database", "DATABASE_URL", url, error)
    return Diagnosis(
        name="database", state=OK, detail=f"PostgreSQL {version} ({source})"
    )


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _pins(file: Path) -> list[tuple[str, str]]:
    lines = file.read_text(encoding="utf-8").splitlines()
    pins = [line.split(";")[0].split("#")[0].strip().partition("==") for line in lines]
    return [(name, wanted) for name, separator, wanted in pins if separator]


def _package_problem(pin: tuple[str, str]) -> str:
    name, wanted = pin
    try:
        found = version(name)
    except PackageNotFoundError:
        return f"{name} is not installed"
    return "" if found == wanted else f"{name} is {found}, not {wanted}"


def _check_sqlite(file: Path) -> Diagnosis:
    detail = f"SQLite {sqlite3.sqlite_version}, {file}"
    if not file.exists():
        return Diagnosis(name="database", state=OK, detail=f"{detail} (not made yet)")
    try:
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        connection.close()
    except sqlite3.Error as error:
        verdict = str(error)
    return Diagnosis(
        name="database",
        state=OK if verdict == "ok" else FAILING,
        detail=detail if verdict == "ok" else f"{detail}: {verdict}",
        fix="Put a copy from your backup in its place.",
    )


def _unreachable(name: str, variable: str, url: str, error: Exception) -> Diagnosis:
    parts = urlsplit(url)
    reason = str(error).strip().splitlines()
    return Diagnosis(
        name=name,
        state=FAILING,
        detail=f"{parts.hostname}:{parts.port}: {reason[0] if reason else error!r}",
        fix=f"Start the server, correct {variable}, or unset it for an embedded one.",
    )
