"""psycopg's connection with a limit on how long it waits for its server."""

from types import SimpleNamespace
from typing import Any

import psycopg
from psycopg.errors import QueryCanceled

# How often psycopg looks whether it was interrupted, as it does by itself.
INTERVAL_S = 0.1


class BoundedConnection(psycopg.Connection[Any]):
    """Gives a statement up, and itself, where the server is silent for too long.

    A server cancels what takes too long by `statement_timeout`. One that hangs does
    not, and its kernel still keeps the connection alive.
    """

    # Set by code that knows how long a statement may take; without it, no limit.
    wait_limit_s: float | None = None
    gave_up: bool = False

    def wait(
        self, gen: Any, interval: float = INTERVAL_S, timeout: float | None = None
    ) -> Any:
        if timeout is not None or self.wait_limit_s is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.wait_limit_s)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001 - `wait` documents it
            self.gave_up = True
            self.pgconn.finish()
            raise QueryCanceled("The server was silent for too long.") from None


# What Django takes the driver from, with connections that are bounded.
DRIVER = SimpleNamespace(**(vars(psycopg) | {"connect": BoundedConnection.connect}))
