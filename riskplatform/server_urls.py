"""Turn DATABASE_URL, CLICKHOUSE_URL and REDIS_URL into Django settings."""

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from riskplatform.connection_policy import ConnectionPolicy
from riskplatform.env import EnvError, env_secret, env_str

# WAL lets readers go on while one process writes; FULL keeps an acknowledged
# commit through a power cut, not only through a crash of the process.
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA busy_timeout=20000;"
    "PRAGMA cache_size=-64000;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA mmap_size=268435456;"
)


def server_url(name: str, embedded_default: str, *, is_embedded: bool) -> str:
    """Read a server's address; only the embedded profile has a default.

    `manage.py` has set the addresses of embedded servers before this is read.
    """
    url = env_secret(name)
    return url or (embedded_default if is_embedded else env_str(name))


def configured_databases(
    folder: Path, policy: ConnectionPolicy, *, is_embedded: bool
) -> dict[str, dict[str, Any]]:
    """Give `DATABASES` without replicas; `folder` has the SQLite of one machine."""
    sqlite = f"sqlite:///{folder / 'riskplatform.sqlite3'}"
    default = server_url("DATABASE_URL", sqlite, is_embedded=is_embedded)
    local = "clickhouse://default@127.0.0.1:9000/default"
    clickhouse = server_url("CLICKHOUSE_URL", local, is_embedded=is_embedded)
    return {
        "default": default_database(default, policy),
        "clickhouse": clickhouse_database(clickhouse, is_plain=policy.is_plain),
    }


def replica_database(policy: ConnectionPolicy) -> dict[str, dict[str, Any]]:
    """Give the replica for people's reads, if there is one and people are served."""
    url = env_secret("DATABASE_REPLICA_URL")
    if not url or policy.is_plain or not policy.serves_people:
        return {}
    return {"replica": default_database(url, policy)}


def default_database(
    url: str, policy: ConnectionPolicy | None = None
) -> dict[str, Any]:
    """Read `postgresql://user:password@host:port/name` or `sqlite:///path`."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(unquote(parts.path.removeprefix("/")))
    if parts.scheme in {"postgres", "postgresql"}:
        return _postgresql(parts, policy or ConnectionPolicy())
    raise EnvError(
        f"DATABASE_URL begins with {parts.scheme!r}. "
        "Use postgresql://user:password@host:port/name or sqlite:///path."
    )


def clickhouse_database(url: str, *, is_plain: bool = False) -> dict[str, Any]:
    """Read `clickhouse://user:password@host:port/database` (native protocol)."""
    parts = urlsplit(url)
    if parts.scheme != "clickhouse":
        raise EnvError(
            f"CLICKHOUSE_URL begins with {parts.scheme!r}. "
            "Use clickhouse://user:password@host:port/database."
        )
    options: dict[str, Any] = {"settings": {"mutations_sync": 1}}
    if is_plain:
        options["connections_min"] = 0
    else:
        options |= {"tcp_keepalive": True, "client_name": "riskplatform"}
    engine = (
        "clickhouse_backend.backend" if is_plain else "analytics.store.clickhouse_pool"
    )
    return {
        "ENGINE": engine,
        "NAME": parts.path.lstrip("/") or "default",
        "HOST": parts.hostname or "127.0.0.1",
        "PORT": parts.port or 9000,
        "USER": unquote(parts.username or "default"),
        "PASSWORD": unquote(parts.password or ""),
        "OPTIONS": options,
        "TEST": {"fake_transaction": True, "DEPENDENCIES": []},
    }


def clickhouse_replicas(urls: str) -> dict[str, dict[str, Any]]:
    """Read the addresses of replicas, with commas between them, as aliases."""
    given = filter(None, map(str.strip, urls.split(",")))
    return {
        f"clickhouse_replica_{number}": clickhouse_database(url)
        | {"TEST": {"MIRROR": "clickhouse"}}
        for number, url in enumerate(given, 1)
    }


def redis_cache(url: str, *, timeout_s: float) -> dict[str, Any]:
    """Give the entry of `CACHES`; `timeout_s` bounds each wait for the store."""
    return {
        # django-redis, with the metrics of django-prometheus.
        "BACKEND": "django_prometheus.cache.backends.redis.RedisCache",
        "LOCATION": url,
        "KEY_PREFIX": "riskplatform",
        "OPTIONS": {
            # Pickle in a shared store is code execution for any writer there.
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": timeout_s,
            "SOCKET_TIMEOUT": timeout_s,
            "IGNORE_EXCEPTIONS": True,
            "CONNECTION_POOL_CLASS": "perf.connections.redis_pool.CachePool",
            "CONNECTION_POOL_KWARGS": {
                "max_connections": 32,
                "timeout": timeout_s,
                "socket_keepalive": True,
                "client_name": "riskplatform",
            },
        },
    }


def channel_layers(url: str) -> dict[str, Any]:
    """Give `CHANNEL_LAYERS`: publish/subscribe, which recovers by itself."""
    layer = "channels_redis.pubsub.RedisPubSubChannelLayer"
    return {"default": {"BACKEND": layer, "CONFIG": {"hosts": [url]}}}


def _sqlite(path: str) -> dict[str, Any]:
    if not path:
        raise EnvError("DATABASE_URL names no file. Use sqlite:///path.")
    return {
        "ENGINE": "django_prometheus.db.backends.sqlite3",
        "NAME": Path(path),
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": SQLITE_PRAGMAS},
        "TEST": {"NAME": Path(path).with_suffix(".test.sqlite3")},
    }


def _postgresql(parts: SplitResult, policy: ConnectionPolicy) -> dict[str, Any]:
    given = dict(parse_qsl(parts.query))
    host = given.pop("host", None) or unquote(parts.hostname or "")
    return {
        "NAME": unquote(parts.path.lstrip("/")),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        # A transaction of PgBouncer's ends before a cursor of the server's does.
        "DISABLE_SERVER_SIDE_CURSORS": policy.is_behind_pgbouncer,
        **policy.engine(given),
    }
