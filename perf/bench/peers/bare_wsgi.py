"""The limit of the web server: a function that always gives the same answer.

BARE_ANSWER names a file with the body, BARE_HEADERS holds its headers as JSON.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson

BODY = Path(os.environ["BARE_ANSWER"]).read_bytes()
HEADERS = [
    *orjson.loads(os.environ["BARE_HEADERS"]).items(),
    ("Content-Length", str(len(BODY))),
]


def application(
    environ: dict[str, Any],
    start_response: Callable[[str, list[tuple[str, str]]], Any],
) -> Iterable[bytes]:
    # A server has to close a connection on which a body was left.
    environ["wsgi.input"].read()
    start_response("200 OK", HEADERS)
    return [BODY]
