"""A small application that tells which headers have reached it."""

import json
from collections.abc import Callable
from typing import Any


def application(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    found = {name: environ[name] for name in environ if name.startswith("HTTP_")}
    body = json.dumps(found).encode()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]
