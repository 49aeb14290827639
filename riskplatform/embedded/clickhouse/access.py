"""What clients may do: the engine's own access control, as a users file.

The engine runs as `clickhouse local`, whose one user may read every file and reach
every address. Here that user gets the rights that a server's data need, and no source.
"""

from collections.abc import Iterable
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Something outside the server that an operator may open, by ClickHouse's name."""

    functions: tuple[str, ...]
    engines: tuple[str, ...]


SOURCES = {
    "URL": Source(functions=("url", "urlCluster"), engines=("URL",)),
    "S3": Source(
        functions=("s3", "s3Cluster", "gcs", "oss", "cosn"),
        engines=("S3", "GCS", "OSS", "COSN"),
    ),
    "AZURE": Source(
        functions=("azureBlobStorage", "azureBlobStorageCluster"),
        engines=("AzureBlobStorage",),
    ),
    "HDFS": Source(functions=("hdfs", "hdfsCluster"), engines=("HDFS",)),
    "REMOTE": Source(functions=("remote", "remoteSecure"), engines=("Remote",)),
    "MYSQL": Source(functions=("mysql",), engines=("MySQL",)),
    "POSTGRES": Source(functions=("postgresql",), engines=("PostgreSQL",)),
    "MONGO": Source(functions=("mongodb",), engines=("MongoDB",)),
    "REDIS": Source(functions=("redis",), engines=("Redis",)),
}

USERS = """<clickhouse>
  <profiles><default><constraints>{constraints}</constraints></default></profiles>
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAccess:
    """The sources that the operator has opened; none is what a server starts with."""

    opened: tuple[str, ...] = ()

    @property
    def table_functions(self) -> frozenset[str]:
        names = (SOURCES[name].functions for name in self.opened)
        return frozenset(TABLE_FUNCTIONS).union(*names)

    @property
    def engines(self) -> frozenset[str]:
        names = (SOURCES[name].engines for name in self.opened)
        return frozenset(ENGINES).union(*names)

    def users_file(self) -> str:
        """Return the users file: names of sources are checked, so none is escaped."""
        grants = [f"GRANT {RIGHTS} ON *.*"]
        grants += [f"GRANT TABLE ENGINE ON `{name}`" for name in sorted(self.engines)]
        grants += [f"GRANT READ, WRITE ON {name}" for name in self.opened]
        return USERS.format(
            constraints="".join(f"<{it}><const/></{it}>" for it in FIXED_SETTINGS),
            grants="".join(f"<query>{grant}</query>" for grant in grants),
        )


def access_to(sources: Iterable[str]) -> SourceAccess:
    """Read the operator's list, in any case of letters."""
    opened = tuple(sorted({source.upper() for source in sources}))
    unknown = [name for name in opened if name not in SOURCES]
    if unknown:
        raise EmbeddedServerError(
            f"The embedded server cannot open {', '.join(unknown)}. "
            f"It can open: {', '.join(SOURCES)}.",
            sources=unknown,
        )
    return SourceAccess(opened=opened)
