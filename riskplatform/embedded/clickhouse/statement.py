"""What a statement wants: rows streamed back, rows sent to it, or just done."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from riskplatform.embedded.clickhouse.errors import SYNTAX_ERROR, refusal

_SKIP = r"(?:\s+|--[^\n]*|//[^\n]*|\#[\ !][^\n]*|/\*.*?\*/)"
_NAME = r"""(?:`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*"|[A-Za-z_]\w*)"""
_TOKEN = re.compile(
    rf"(?P<skip>{_SKIP})|(?P<text>'(?:[^'\\]|\\.|'')*')|(?P<name>{_NAME})"
    r"|(?P<other>\d\w*|.)",
    re.VERBOSE | re.DOTALL,
)
# What is skipped is skipped for good: INTO is no name of a table.
_INSERT = re.compile(
    rf"""
    {_SKIP}*+ INSERT\b {_SKIP}*+ (?:INTO\b {_SKIP}*+)?+ (?:TABLE\b {_SKIP}*+)?+
    (?P<target> (?P<function>FUNCTION\b {_SKIP}*+)?+
        {_NAME} (?:{_SKIP}*+ \. {_SKIP}*+ {_NAME})*+ )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_COLUMN = rf"{_NAME}(?:\ \.\ {_NAME})*+"
_COLUMN_LIST = re.compile(rf"{_COLUMN}(?:\ ,\ {_COLUMN})*+(?:\ ,)?")
_MIGHT_HAVE_TAIL = re.compile(r";|\bFORMAT\b", re.IGNORECASE)
_STREAMED = frozenset({"SELECT", "WITH", "FROM", "("})
_READING = frozenset({"SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK"})
# Where the rows of an INSERT come from that does not await them.
_SOURCES = frozenset({"SELECT", "WITH", "FROM", "WATCH", "EXPLAIN", "("})


class StatementKind(Enum):
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
    kind: StatementKind


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertStatement:
    """`INSERT INTO target (columns) clauses`, waiting for blocks of rows."""

    target: str
    columns: str
    clauses: str

    @property
    def column_names(self) -> tuple[str, ...] | None:
        """The names as written, without quotes; None where only the engine knows."""
        listed = " ".join(token.text for token in tokens(self.columns[1:-1]))
        if listed and _COLUMN_LIST.fullmatch(listed) is None:
            return None
        columns = re.findall(_COLUMN, listed)
        return tuple(
            ".".join(map(_unquoted, re.findall(_NAME, name))) for name in columns
        )

    @property
    def without_rows(self) -> str:
        return f"INSERT INTO {self.target} {self.columns} {self.clauses}"

    def reading(self, path: str) -> str:
        """Return the same INSERT with its rows in a Native file."""
        return (
            f"INSERT INTO {self.target} {self.columns} "
            f"FROM INFILE '{path}' COMPRESSION 'none' {self.clauses} FORMAT Native"
        )


def read_statement(sql: str) -> Statement:
    """Classify by the first word and cut off what only a client acts on."""
    first = next(tokens(sql), None)
    if first is None:
        raise refusal("Syntax error: Empty query.", SYNTAX_ERROR)
    kind = _kind_of(first.word)
    if kind is not StatementKind.INSERT and _MIGHT_HAVE_TAIL.search(sql):
        sql = _single_statement(
            sql, without_format=kind in {StatementKind.STREAM, StatementKind.READ}
        )
    return Statement(sql=sql, kind=kind)


def read_insert(sql: str) -> InsertStatement | None:
    """Return the parts of an INSERT that awaits rows; None if it brings its own."""
    head = _INSERT.match(sql)
    if head is None:
        raise refusal("Syntax error: INSERT names no table.", SYNTAX_ERROR)
    end = head.end()
    if head["function"]:
        end = _end_of_brackets(sql, end)
    target = sql[head.start("target") : end]
    columns = ""
    if (start := _start_of_columns(sql, end)) is not None:
        end = _end_of_brackets(sql, end)
        columns = sql[start:end]
    clauses = _clauses(sql, end)
    if clauses is None:
        return None
    return InsertStatement(target=target, columns=columns, clauses=clauses)


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


def _kind_of(word: str) -> StatementKind:
    if word in _STREAMED:
        return StatementKind.STREAM
    if word in _READING:
        return StatementKind.READ
    known = {"SET": StatementKind.SET, "INSERT": StatementKind.INSERT}
    return known.get(word, StatementKind.COMMAND)


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


def _start_of_columns(sql: str, start: int) -> int | None:
    """Find the list of columns, None without; a query may stand in brackets too."""
    words = tokens(sql, start)
    bracket, inner = next(words, None), next(words, None)
    if bracket is None or bracket.text != "(":
        return None
    return None if inner is not None and inner.word in _SOURCES else bracket.start


def _end_of_brackets(sql: str, start: int) -> int:
    closing = (it for it in tokens(sql, start) if (it.text, it.depth) == (")", 0))
    return next((token.end for token in closing), len(sql))


def _clauses(sql: str, start: int) -> str | None:
    """Give what stands before the rows that are awaited; None if they are here."""
    passed: list[Token] = []
    words = tokens(sql, start)
    for token in words:
        if token.depth == 0 and token.word in _SOURCES:
            return None
        if token.depth == 0 and token.word in {"VALUES", "FORMAT"}:
            if token.word == "FORMAT":
                next(words, None)
            after = next(words, None)
            if after is not None and after.text != ";":
                return None
            break
        if token.text != ";":
            passed.append(token)
    return sql[passed[0].start : passed[-1].end] if passed else ""


def _unquoted(name: str) -> str:
    quote = name[0]
    if quote not in '`"':
        return name
    inner = name[1:-1].replace(quote * 2, quote)
    return inner.replace("\\" + quote, quote).replace("\\\\", "\\")
