"""A tiny ASGI application for the drain tests, a server of its own."""

import asyncio
import sys
from typing import Any

from riskplatform.serving.realtime import DrainingDaphne

SLOW_S = 2.0


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await hold_socket(receive, send)
    else:
        await asyncio.sleep(float(scope["query_string"] or SLOW_S))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"finished"})


async def hold_socket(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    message = await receive()
    while message["type"] != "websocket.disconnect":
        message = await receive()
    sys.stdout.write("disconnected\n")
    sys.stdout.flush()


if __name__ == "__main__":
    DrainingDaphne(
        application,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        drain_timeout_s=float(sys.argv[2]),
    ).run()
