"""The limit of the web server: a function that always gives the same answer.

BARE_ANSWER names a file with the body, BARE_HEADERS holds its headers as JSON.
"""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ANSWER = Path(os.environ["BARE_ANSWER"])
HEADERS = "BARE_HEADERS"

_body = ANSWER.read_bytes()
_headers = [
    *((name, value) for name, value in json.loads(os.environ[HEADERS]).items()),
    ("Content-Length", str(len(_body))),
]


def application(
    _environ: dict[str, Any],
    start_response: Callable[[str, list[tuple[str, str]]], Any],
) -> Iterable[bytes]:
    start_response("200 OK", _headers)
    return [_body]
