"""How a process keeps connections to the databases; docs/connections.md says why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskplatform.env import env_bool, env_choice, env_int

# What a process is: `manage.py` and the entry points of the servers say so.
WEB = "web"
REALTIME = "realtime"
COMMAND = "command"
PROCESSES = frozenset({WEB, REALTIME, COMMAND})
# Beyond these no person waits any more; commands and jobs may take longer.
PERSON_LIMITS = {
    "statement_timeout": "120s",
    "lock_timeout": "15s",
    "idle_in_transaction_session_timeout": "60s",
}
# A server that vanished is given up after so long.
KEEP_ALIVE = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
POOL_SIZE = 8
POOL_WAIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPolicy:
    """What a process does with connections; `is_plain` is what Django does by itself.

    That is a new connection for each request.
    """

    process: str = COMMAND
    is_plain: bool = False
    is_behind_pgbouncer: bool = False
    pool_size: int = POOL_SIZE

    @property
    def serves_people(self) -> bool:
        return self.process != COMMAND

    def engine(self, given: Mapping[str, str]) -> dict[str, Any]:
        """Choose the engine and its options; those given come first."""
        if self.is_plain:
            return {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {**given}}
        options: dict[str, Any] = {
            "application_name": f"riskplatform-{self.process}",
            **KEEP_ALIVE,
            **self._limits(),
            **given,
        }
        lifetime: dict[str, Any] = {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
        if self.process == REALTIME:
            # Threads come and go there, and each would leave its connection behind.
            options["pool"] = {
                "min_size": 1,
                "max_size": self.pool_size,
                "timeout": POOL_WAIT_S,
                "name": REALTIME,
            }
            lifetime = {"CONN_MAX_AGE": 0}
        return {"ENGINE": "perf.connections.postgresql", "OPTIONS": options, **lifetime}

    def _limits(self) -> dict[str, str]:
        # PgBouncer refuses a client that brings options of its own.
        if self.is_behind_pgbouncer or not self.serves_people:
            return {}
        words = (f"-c {name}={limit}" for name, limit in PERSON_LIMITS.items())
        return {"options": " ".join(words)}


def read_policy(*, is_plain: bool) -> ConnectionPolicy:
    return ConnectionPolicy(
        process=env_choice("RISKPLATFORM_PROCESS", COMMAND, PROCESSES),
        is_plain=is_plain,
        is_behind_pgbouncer=env_bool("DATABASE_PGBOUNCER", default=False),
        pool_size=env_int("DATABASE_POOL_SIZE", POOL_SIZE, minimum=1),
    )
