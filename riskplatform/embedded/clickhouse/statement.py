"""What a statement wants: rows streamed back, rows sent to it, or just done."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from riskplatform.embedded.clickhouse.errors import SYNTAX_ERROR, refusal

_TOKEN = re.compile(
    r"""
    (?P<skip>\s+|--[^\n]*|//[^\n]*|\#[\ !][^\n]*|/\*.*?\*/)
    |(?P<text>'(?:[^'\\]|\\.|'')*')
    |(?P<name>`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*"|[A-Za-z_]\w*)
    |(?P<other>\d\w*|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_MIGHT_HAVE_TAIL = re.compile(r";|\bFORMAT\b", re.IGNORECASE)
_STREAMED = frozenset({"SELECT", "WITH", "FROM", "("})
_READING = frozenset({"SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK"})


class Kind(Enum):
    STREAM = auto()
    READ = auto()
    SET = auto()
    INSERT = auto()
    COMMAND = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    text: str
    start: int
    end: int
    depth: int

    @property
    def word(self) -> str:
        return self.text.upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    sql: str
    kind: Kind


def read_statement(sql: str) -> Statement:
    """Classify by the first word and cut off what only a client acts on."""
    first = next(tokens(sql), None)
    if first is None:
        raise refusal("Syntax error: Empty query.", SYNTAX_ERROR)
    word = first.word
    if word == "INSERT":
        return Statement(sql=sql, kind=Kind.INSERT)
    kind = _kind_of(word)
    if _MIGHT_HAVE_TAIL.search(sql):
        sql = _single_statement(sql, without_format=kind in {Kind.STREAM, Kind.READ})
    return Statement(sql=sql, kind=kind)


def tokens(sql: str, start: int = 0) -> Iterator[Token]:
    """Walk the words and signs, without blanks and comments; depth counts brackets."""
    depth = 0
    for match in _TOKEN.finditer(sql, start):
        if match.lastgroup == "skip":
            continue
        if match[0] == ")":
            depth -= 1
        yield Token(text=match[0], start=match.start(), end=match.end(), depth=depth)
        if match[0] == "(":
            depth += 1


def _kind_of(word: str) -> Kind:
    if word in _STREAMED:
        return Kind.STREAM
    if word in _READING:
        return Kind.READ
    return Kind.SET if word == "SET" else Kind.COMMAND


def _single_statement(sql: str, *, without_format: bool) -> str:
    listed = list(tokens(sql))
    while listed and listed[-1].text == ";":
        listed.pop()
    if any(token.text == ";" for token in listed):
        raise refusal(
            "Syntax error (Multi-statements are not allowed). Send one at a time.",
            SYNTAX_ERROR,
        )
    # A server leaves FORMAT to its client; the engine here would obey it.
    if without_format and _ends_with_format(listed):
        return sql[: listed[-2].start]
    return sql[: listed[-1].end] if listed else sql


def _ends_with_format(listed: list[Token]) -> bool:
    return len(listed) > 2 and listed[-2].word == "FORMAT" and listed[-2].depth == 0
