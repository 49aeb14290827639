"""Clients of the realtime application that need no server between."""

import json
from typing import Any
from urllib.parse import urlencode

from channels.testing import WebsocketCommunicator

from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.services import issue_key
from riskplatform.asgi import application
from tests.support.factories import make_organisation

TIMEOUT_S = 20.0
# Longer than any message takes that is on its way.
NOTHING_S = 0.3


def new_key(*scopes: str, organisation: str = "acme") -> str:
    """Issue a key with all scopes, or those named."""
    wanted = scopes or tuple(Scope.values)
    owner = make_organisation(organisation)
    return issue_key(owner, name="test", scopes=wanted).text.text


class Sockets:
    def __init__(self) -> None:
        self._opened: list[Client] = []

    async def open(
        self,
        path: str,
        *,
        key: str = "",
        headers: dict[str, str] | None = None,
        subprotocols: list[str] | None = None,
        **query: str,
    ) -> "Client":
        """Open a socket; what the server says to it is read by the client."""
        given = {"authorization": f"Bearer {key}"} if key else {}
        pairs = {**given, **(headers or {})}.items()
        communicator = WebsocketCommunicator(
            application,
            f"/ws/v1/{path}?{urlencode(query)}",
            headers=[(name.encode(), value.encode()) for name, value in pairs],
            subprotocols=subprotocols,
        )
        client = Client(communicator)
        self._opened.append(client)
        await communicator.send_input({"type": "websocket.connect"})
        client.answer = await communicator.receive_output(TIMEOUT_S)
        return client

    async def close(self) -> None:
        for client in self._opened:
            await client.leave()


class Client:
    def __init__(self, communicator: Any) -> None:
        self._communicator = communicator
        self.answer: dict[str, Any] = {}

    @property
    def is_accepted(self) -> bool:
        return bool(self.answer["type"] == "websocket.accept")

    async def raw(self) -> dict[str, Any]:
        message: dict[str, Any] = await self._communicator.receive_output(TIMEOUT_S)
        return message

    async def receive(self) -> Any:
        message = await self.raw()
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def close_code(self) -> int:
        while (message := await self.raw())["type"] != "websocket.close":
            pass
        return int(message["code"])

    async def says(self, text: str) -> None:
        await self._communicator.send_input({"type": "websocket.receive", "text": text})

    async def hears_nothing(self) -> bool:
        return bool(await self._communicator.receive_nothing(timeout=NOTHING_S))

    async def leave(self) -> None:
        await self._communicator.disconnect(timeout=TIMEOUT_S)
