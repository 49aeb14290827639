"""The embedded ClickHouse engine as a server process."""

import sys
from pathlib import Path
from typing import ClassVar

from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from riskplatform.embedded.ports import LOOPBACK, is_listening
from riskplatform.embedded.process import Launch
from riskplatform.embedded.server import Server

DATABASE = "riskplatform"
MODULE = "riskplatform.embedded.clickhouse"
CHECKOUT = Path(__file__).resolve().parents[2]
PASSWORD_VARIABLE = "RISKPLATFORM_CLICKHOUSE_PASSWORD"  # noqa: S105 - a name
CONNECT_TIMEOUT_S = 2.0


class ClickHouseServer(Server):
    name: ClassVar[str] = "clickhouse"
    usual_port: ClassVar[int] = 9000
    # Two busy cores need several seconds to load the engine's 500 MB.
    start_timeout_s: ClassVar[float] = 60.0

    @property
    def url(self) -> str:
        login = f"default:{self.site.password}"
        return f"clickhouse://{login}@{LOOPBACK}:{self.port}/{DATABASE}"

    def launch(self) -> Launch:
        self._data.mkdir(parents=True, exist_ok=True)
        return Launch(
            argv=[
                sys.executable,
                *("-m", MODULE),
                *("--data", str(self._data)),
                *("--port", str(self.port)),
                *("--password-env", PASSWORD_VARIABLE),
                *(() if self.site.durable else ("--no-fsync",)),
            ],
            env={PASSWORD_VARIABLE: self.site.password},
            working_folder=CHECKOUT,
        )

    def answers(self) -> bool:
        # The engine's own database `default` is an overlay with gaps.
        return self._executes(
            f"CREATE DATABASE IF NOT EXISTS {DATABASE} ENGINE = Atomic"
        )

    def responds(self) -> bool:
        return self._executes("SELECT 1")

    def _executes(self, sql: str) -> bool:
        # The driver logs every refused connection with its traceback.
        if not is_listening(self.port):
            return False
        client = Client(
            LOOPBACK,
            port=self.port,
            password=self.site.password,
            connect_timeout=CONNECT_TIMEOUT_S,
            send_receive_timeout=CONNECT_TIMEOUT_S,
        )
        try:
            client.execute(sql)
        except (Error, EOFError, OSError):
            return False
        else:
            return True
        finally:
            client.disconnect()

    @property
    def _data(self) -> Path:
        return self.site.var / "clickhouse"
