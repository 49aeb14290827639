"""The words of a statement as the engine itself reads them."""

import json
import re
from typing import NamedTuple

from riskplatform.embedded.clickhouse.engine import Engine, quoted
from riskplatform.embedded.clickhouse.errors import SYNTAX_ERROR, refusal

_ESCAPED = re.compile(rb"\\x([0-9A-Fa-f]{2})|\\(.)|``|\"\"", re.DOTALL)
_CONTROL = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"0": b"\0", b"b": b"\b"}
_CONTROL |= {b"f": b"\f", b"a": b"\a", b"v": b"\v", b"e": b"\x1b", b"N": b""}
TYPOGRAPHIC_QUOTES = (
    "\N{LEFT DOUBLE QUOTATION MARK}",
    "\N{RIGHT DOUBLE QUOTATION MARK}",
)
# Kinds of words and signs.
OPENING, CLOSING = "OpeningRoundBracket", "ClosingRoundBracket"
TEXTS = frozenset({"StringLiteral", "HereDoc"})
TOKENIZE = (
    "SELECT arrayFilter(token -> token.3 NOT IN ('Whitespace', 'Comment'), "
    "tokenizeQuery({text}))"
)


class Lexeme(NamedTuple):
    """A word or sign; `name` is what it names, `keyword` its upper-case spelling."""

    kind: str
    text: bytes
    start: int = 0

    @property
    def keyword(self) -> str:
        return self.text.decode().upper() if self.kind == "BareWord" else ""

    @property
    def name(self) -> str:
        if self.kind == "BareWord":
            return self.text.decode()
        return _unquoted(self.text) if self.kind == "QuotedIdentifier" else ""


END = Lexeme("EndOfStream", b"")


class Lexer:
    """Splits statements in a session of its own, which no client's settings reach."""

    def __init__(self, engine: Engine) -> None:
        self._session = engine.open_session()
        # Statements with rows in them are longer than the engine reads by default.
        self._session.execute("SET max_query_size = 0")

    def names(self, sql: str) -> frozenset[str]:
        """Run a query for a set of words."""
        return frozenset(self._session.execute(sql, "TSVRaw").decode().split())

    def split(self, sql: str) -> list[Lexeme]:
        """Return the words and signs, without blanks and comments."""
        if "\0" in sql:
            raise refusal("Syntax error: the statement holds a NUL byte.", SYNTAX_ERROR)
        tokenize = TOKENIZE.format(text=quoted(sql))
        answer = self._session.execute(tokenize, "JSONCompactEachRow")
        content = sql.encode()
        spans = [
            (token["type"], int(token["begin"]), int(token["end"]))
            for token in json.loads(answer)[0]
        ]
        return [Lexeme(kind, content[start:end], start) for kind, start, end in spans]

    def close(self) -> None:
        self._session.close()


def _unquoted(text: bytes) -> str:
    typographic = text.decode(errors="replace")
    if typographic.startswith(TYPOGRAPHIC_QUOTES[0]):
        return typographic[1:-1]
    return _ESCAPED.sub(_unescaped, text[1:-1]).decode(errors="replace")


def _unescaped(found: re.Match[bytes]) -> bytes:
    code, letter = found.groups()
    if code is not None:
        return bytes.fromhex(code.decode())
    return found[0][:1] if letter is None else _CONTROL.get(letter, letter)
