"""psycopg's connection, which waits for its server no longer than it was told."""

from types import SimpleNamespace
from typing import Any

import psycopg
from psycopg.errors import QueryCanceled


class BoundedConnection(psycopg.Connection[Any]):
    """Gives a statement up, and itself, where the server is silent for too long.

    A server cancels what takes too long by `statement_timeout`. One that hangs does
    not, and its kernel keeps the connection alive in its place.
    """

    # Set by whoever knows how long a statement may take; without, it waits for ever.
    wait_limit_s: float | None = None
    gave_up: bool = False

    def wait(
        self, gen: Any, *args: Any, timeout: float | None = None, **more: Any
    ) -> Any:
        if timeout is not None or self.wait_limit_s is None:
            return super().wait(gen, *args, timeout=timeout, **more)
        try:
            return super().wait(gen, *args, timeout=self.wait_limit_s, **more)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001 - `wait` documents it
            self.gave_up = True
            self.pgconn.finish()
            raise QueryCanceled("The server was silent for too long.") from None


# What Django takes the driver from, with connections that are bounded.
DRIVER = SimpleNamespace(**(vars(psycopg) | {"connect": BoundedConnection.connect}))
