"""Whether Valkey, ClickHouse and the database answer and can do what is needed."""

import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis
from clickhouse_driver import Client
from clickhouse_driver.errors import Error as ClickHouseError

from riskplatform.embedded.diagnosis import FAILING, OK, Diagnosis

TIMEOUT_S = 5
# H3 in the engine joins events to cells; t-digests summarise severities.
CLICKHOUSE_PROBE = (
    "SELECT version(), length(h3kRing(geoToH3(-87.6, 41.9, toUInt8(8)), 1)),"
    " length(quantilesTDigest(0.5, 0.9)(number)) FROM numbers(10)"
)


def check_servers(urls: dict[str, str], *, source: str) -> list[Diagnosis]:
    """Talk to the servers behind the three URLs; `source` says who runs them."""
    checks = {
        "REDIS_URL": check_redis,
        "CLICKHOUSE_URL": check_clickhouse,
        "DATABASE_URL": check_database,
    }
    return [checks[name](url, source) for name, url in urls.items()]


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
