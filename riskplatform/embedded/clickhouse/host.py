"""What the conversations of one server share, and what each has for itself."""

import socket
from dataclasses import dataclass, field
from pathlib import Path

from riskplatform.embedded.clickhouse.engine import Engine
from riskplatform.embedded.clickhouse.guard import Guard
from riskplatform.embedded.clickhouse.lexemes import Lexer
from riskplatform.embedded.clickhouse.shapes import ShapeMemory
from riskplatform.embedded.clickhouse.watcher import Watcher
from riskplatform.embedded.clickhouse.wire import WireReader, WireWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    engine: Engine
    watcher: Watcher
    lexer: Lexer
    guard: Guard
    incoming: Path
    user: str
    password: str
    shapes: ShapeMemory = field(default_factory=ShapeMemory)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The two directions of one client's connection."""

    connection: socket.socket
    reader: WireReader
    writer: WireWriter


def line_to(connection: socket.socket) -> Line:
    return Line(
        connection=connection,
        reader=WireReader(connection),
        writer=WireWriter(connection),
    )
