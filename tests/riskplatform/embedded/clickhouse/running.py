"""Starts the embedded server as a process of its own, for tests that kill it."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from clickhouse_driver import Client

PASSWORD_VARIABLE = "EMBEDDED_TEST_PASSWORD"
START_LIMIT_S = 60.0
STOP_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    host: str
    port: int
    user: str = "default"
    password: str = ""

    def client(self, database: str = "", **options: object) -> Client:
        return Client(
            self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            database=database,
            **options,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServer:
    process: subprocess.Popen[bytes]
    endpoint: Endpoint
    log: Path
    opened: list[Client] = field(default_factory=list)

    def client(self, database: str = "") -> Client:
        """Open a client that is closed together with the server."""
        client = self.endpoint.client(database)
        self.opened.append(client)
        return client

    def close_clients(self) -> None:
        for client in self.opened:
            client.disconnect()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(STOP_LIMIT_S)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_LIMIT_S)


def command(data: Path, *options: str) -> list[str]:
    module = "riskplatform.embedded.clickhouse"
    return [sys.executable, "-m", module, "--data", str(data), *options]


def start(data: Path, *options: str, password: str = "") -> RunningServer:
    """Start a server on a free port and wait until it takes clients."""
    ready = data.parent / f"{data.name}.ready"
    ready.unlink(missing_ok=True)
    log = data.parent / f"{data.name}.log"
    flags = ["--port", "0", "--ready-file", str(ready), *options]
    if password:
        flags += ["--password-env", PASSWORD_VARIABLE]
    with log.open("ab") as output:
        process = _spawn(command(data, *flags), password, output)
    try:
        port = _port_once_ready(process, ready, log)
    except BaseException:
        process.kill()
        process.wait()
        raise
    endpoint = Endpoint(host="127.0.0.1", port=port, password=password)
    return RunningServer(process=process, endpoint=endpoint, log=log)


def _spawn(
    argv: list[str], password: str, output: IO[bytes]
) -> subprocess.Popen[bytes]:
    environment = {**os.environ, PASSWORD_VARIABLE: password}
    return subprocess.Popen(argv, env=environment, stdout=output, stderr=output)


def _port_once_ready(process: subprocess.Popen[bytes], ready: Path, log: Path) -> int:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if ready.exists():
            return int(json.loads(ready.read_text(encoding="utf-8"))["port"])
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise AssertionError(f"The server did not start: {log.read_text()}")
