"""What the conversations of one server share."""

from dataclasses import dataclass, field
from pathlib import Path

from riskplatform.embedded.clickhouse.engine import Engine
from riskplatform.embedded.clickhouse.guard import Guard
from riskplatform.embedded.clickhouse.lexemes import Lexer
from riskplatform.embedded.clickhouse.result import ShapeMemory
from riskplatform.embedded.clickhouse.watcher import Watcher


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
