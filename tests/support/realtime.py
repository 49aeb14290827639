"""A realtime process on the database of the test run, and clients of its sockets."""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import websocket
from django.conf import settings
from django.db import connection

from riskplatform.embedded.ports import LOOPBACK, free_port, is_listening
from riskplatform.serving.processes import CHECKOUT
from tests.support.waiting import wait_until

TIMEOUT_S = 20.0


def database_url() -> str:
    """Name the database that tests write to, which only they know by itself."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))


@contextmanager
def realtime_process(**env: str) -> Generator["Realtime"]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_realtime", "--port", str(port)],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "SECRET_KEY": settings.SECRET_KEY,
            "DJANGO_SETTINGS_MODULE": "riskplatform.settings",
            **env,
        },
    )
    running = Realtime(port, process)
    try:
        wait_until(lambda: is_listening(port), within_s=60, what="listening")
        yield running
    finally:
        for client in running.clients:
            client.shutdown()
        process.kill()
        process.wait()


class Realtime:
    def __init__(self, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.port = port
        self.process = process
        self.clients: list[Any] = []

    def connect(self, path: str, *, key: str = "", **query: str) -> "Socket":
        url = f"ws://{LOOPBACK}:{self.port}/ws/v1/{path}?{urlencode(query)}"
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        client = websocket.create_connection(
            url, timeout=TIMEOUT_S, header=headers, suppress_origin=True
        )
        self.clients.append(client)
        return Socket(client)


class Socket:
    def __init__(self, client: Any) -> None:
        self.client = client

    def receive(self) -> Any:
        """Give the next message; a close frame fails the test."""
        opcode, frame = self.client.recv_data()
        assert opcode == websocket.ABNF.OPCODE_TEXT, frame
        return json.loads(frame)

    def close_code(self) -> int:
        """Wait for the close frame, past all messages before it."""
        while True:
            opcode, frame = self.client.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                self.client.shutdown()
                return int.from_bytes(frame[:2], "big")

    def close_code_or_cut(self) -> int | None:
        """Give the close code, or None where the connection was cut instead."""
        try:
            return self.close_code()
        except (OSError, websocket.WebSocketConnectionClosedException):
            return None
