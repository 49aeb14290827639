"""The data folder: one process at a time, what clients may do, nothing left over.

The engine runs as `clickhouse local`, whose one user may read every file and reach
every address. Its access control, a users file, gives that user the rights that a
server's data need, and only the sources that the operator has opened.
"""

import fcntl
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from riskplatform.embedded.errors import EmbeddedServerError

RIGHTS = (
    "SHOW, SELECT, INSERT, ALTER, CHECK, OPTIMIZE, TRUNCATE, KILL QUERY, dictGet, "
    "CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE TEMPORARY TABLE, "
    "DROP DATABASE, DROP TABLE, DROP VIEW, DROP FUNCTION, "
    "UNDROP TABLE, SYSTEM MERGES, SYSTEM TTL MERGES, SYSTEM FLUSH, SYSTEM DROP CACHE, "
    "SYSTEM VIEWS, CLUSTER"
)
MERGE_TREES = (
    *("MergeTree", "ReplacingMergeTree", "SummingMergeTree", "AggregatingMergeTree"),
    *("CollapsingMergeTree", "VersionedCollapsingMergeTree", "CoalescingMergeTree"),
    "GraphiteMergeTree",
)
ENGINES = (
    *MERGE_TREES,
    *(f"Replicated{name}" for name in MERGE_TREES),
    *("Log", "TinyLog", "StripeLog", "Memory", "Null", "Set", "Join", "Buffer"),
    *("Merge", "View", "MaterializedView", "GenerateRandom", "Alias", "Distributed"),
    # Engines of databases; a grant of them is a grant of table engines too.
    *("Atomic", "Ordinary", "Replicated"),
)
TABLE_FUNCTIONS = (
    *("numbers", "numbers_mt", "zeros", "zeros_mt", "generateSeries"),
    *("generate_series", "primes", "values", "SQLStandardValues", "generateRandom"),
    *("null", "input", "format", "view", "viewIfPermitted", "viewExplain", "merge"),
    *("loop", "dictionary", "cluster", "clusterAllReplicas", "mergeTreeIndex"),
    "mergeTreeProjection",
)
# They name files and addresses, run text as a statement, or change the language.
FIXED_SETTINGS = (
    *("format_schema", "format_schema_source", "output_format_schema"),
    *("format_template_row", "format_template_resultset"),
    *("format_avro_schema_registry_url", "dialect"),
    "allow_experimental_eval_table_function",
)


class Source(NamedTuple):
    """Something outside the server that an operator may open, by ClickHouse's name."""

    functions: tuple[str, ...]
    engines: tuple[str, ...]


SOURCES = {
    "URL": Source(("url", "urlCluster"), ("URL",)),
    "S3": Source(
        ("s3", "s3Cluster", "gcs", "oss", "cosn"), ("S3", "GCS", "OSS", "COSN")
    ),
    "AZURE": Source(
        ("azureBlobStorage", "azureBlobStorageCluster"), ("AzureBlobStorage",)
    ),
    "HDFS": Source(("hdfs", "hdfsCluster"), ("HDFS",)),
    "REMOTE": Source(("remote", "remoteSecure"), ("Remote",)),
    "MYSQL": Source(("mysql",), ("MySQL",)),
    "POSTGRES": Source(("postgresql",), ("PostgreSQL",)),
    "MONGO": Source(("mongodb",), ("MongoDB",)),
    "REDIS": Source(("redis",), ("Redis",)),
}

USERS = """<clickhouse>
  <profiles><default>
    {logged}<constraints>{constraints}</constraints>
  </default></profiles>
  <quotas><default/></quotas>
  <users><default>
    <no_password/>
    <networks><ip>::/0</ip></networks>
    <profile>default</profile>
    <quota>default</quota>
    <grants>{grants}</grants>
  </default></users>
</clickhouse>
"""
CONFIGURATION = """<clickhouse>
  <user_directories><users_xml><path>{users}</path></users_xml></user_directories>
  <merge_tree>
    <fsync_after_insert>{fsync}</fsync_after_insert>
    <fsync_part_directory>{fsync}</fsync_part_directory>
  </merge_tree>
  <max_server_memory_usage_to_ram_ratio>{memory}</max_server_memory_usage_to_ram_ratio>
  <query_log>
    <database>system</database>
    <table>query_log</table>
    <engine>{query_log}</engine>
    <flush_interval_milliseconds>1000</flush_interval_milliseconds>
    <max_size_rows>1000</max_size_rows>
    <reserved_size_rows>16</reserved_size_rows>
    <buffer_size_rows_flush_threshold>500</buffer_size_rows_flush_threshold>
  </query_log>
</clickhouse>
"""
# Of slow queries, as long as the server runs: the engine's system tables end with it.
QUERY_LOG = (
    "ENGINE = Memory SETTINGS min_rows_to_keep = 1000, max_rows_to_keep = 2000, "
    "compress = 1"
)
LOGGED = {
    "log_queries_min_query_duration_ms": 50,
    "log_queries_min_type": "QUERY_FINISH",
    "log_queries_cut_to_length": 4_000,
    "log_query_views": 0,
}
# The machine has other work than this server.
MEMORY_SHARE = 0.5


class SourceAccess:
    """The sources that the operator has opened, in any case of letters."""

    def __init__(self, sources: Iterable[str]) -> None:
        self.opened = sorted({source.upper() for source in sources})
        unknown = [name for name in self.opened if name not in SOURCES]
        if unknown:
            raise EmbeddedServerError(
                f"The embedded server cannot open {', '.join(unknown)}. "
                f"It can open: {', '.join(SOURCES)}.",
                sources=unknown,
            )
        opened = [SOURCES[name] for name in self.opened]
        self.table_functions = {*TABLE_FUNCTIONS}.union(
            *(it.functions for it in opened)
        )
        self.engines = {*ENGINES}.union(*(it.engines for it in opened))

    def users_file(self) -> str:
        """Return the users file: names of sources are checked, so none is escaped."""
        grants = [f"GRANT {RIGHTS} ON *.*"]
        grants += [f"GRANT TABLE ENGINE ON `{name}`" for name in sorted(self.engines)]
        grants += [f"GRANT READ, WRITE ON {name}" for name in self.opened]
        return USERS.format(
            logged="".join(f"<{key}>{value}</{key}>" for key, value in LOGGED.items()),
            constraints="".join(f"<{it}><const/></{it}>" for it in FIXED_SETTINGS),
            grants="".join(f"<query>{grant}</query>" for grant in grants),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFolder:
    engine: Path
    incoming: Path
    configuration: Path
    lock_descriptor: int


def open_folder(root: Path, *, fsync: bool, access: SourceAccess) -> DataFolder:
    """Lock the folder for the life of this process and clear unfinished inserts."""
    folder = root.resolve()
    if "?" in str(folder):
        raise EmbeddedServerError(
            f"The engine cannot use {folder}: it takes the question mark for the "
            "begin of options. Choose another --data.",
            folder=str(folder),
        )
    incoming = folder / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    lock_descriptor = _lock(folder / "lock")
    for left_over in incoming.glob("*.native"):
        left_over.unlink()
    users = folder / "users.xml"
    users.write_text(access.users_file(), encoding="utf-8")
    configuration = folder / "configuration.xml"
    configuration.write_text(
        CONFIGURATION.format(
            fsync=int(fsync),
            memory=MEMORY_SHARE,
            users=escape(str(users)),
            query_log=QUERY_LOG,
        ),
        encoding="utf-8",
    )
    return DataFolder(
        engine=folder / "engine",
        incoming=incoming,
        configuration=configuration,
        lock_descriptor=lock_descriptor,
    )


def _lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode() or "unknown"
        os.close(descriptor)
        raise EmbeddedServerError(
            f"The folder {path.parent} is in use by process {holder}. Stop that "
            "process, or choose another --data.",
            folder=str(path.parent),
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor
