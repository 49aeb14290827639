"""The shape of an INSERT: its table, its columns, and whether rows follow."""

from collections.abc import Iterator
from dataclasses import dataclass

from riskplatform.embedded.clickhouse.errors import SYNTAX_ERROR, refusal
from riskplatform.embedded.clickhouse.statement import Token, tokens

_SOURCES = frozenset({"SELECT", "WITH", "FROM", "WATCH", "EXPLAIN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertStatement:
    """`INSERT INTO target (columns) clauses`, waiting for blocks of rows."""

    target: str
    columns: str
    clauses: str

    @property
    def column_names(self) -> tuple[str, ...] | None:
        """The names as written, without quotes; None where only the engine knows."""
        inside = list(tokens(self.columns))[1:-1]
        names = [_name(part) for part in _split(inside)]
        return (
            None if any(name is None for name in names) else tuple(filter(None, names))
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


def read_insert(sql: str) -> InsertStatement | None:
    """Return the parts of an INSERT that awaits rows; None if it brings its own."""
    walk = _InsertWalk(sql)
    walk.skip_words("INSERT", "INTO", "TABLE")
    target_start = walk.position
    if walk.skip_words("FUNCTION"):
        walk.skip_name()
        walk.skip_brackets()
    else:
        walk.skip_name()
    target = sql[target_start : walk.last_end]
    columns = walk.columns()
    clauses_start = walk.position
    return _await_rows(walk, target, columns, clauses_start)


def _await_rows(
    walk: "_InsertWalk", target: str, columns: str, clauses_start: int
) -> InsertStatement | None:
    source = walk.find_source()
    end = len(walk.sql) if source is None else source.start
    if source is not None and not walk.is_empty_after(source):
        return None
    return InsertStatement(
        target=target,
        columns=columns,
        clauses=walk.sql[clauses_start:end].rstrip("; \n"),
    )


class _InsertWalk:
    """One token of look-ahead over an INSERT."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self._tokens: Iterator[Token] = tokens(sql)
        self.last_end = 0
        self._next = next(self._tokens, None)

    @property
    def position(self) -> int:
        return len(self.sql) if self._next is None else self._next.start

    def skip_words(self, *words: str) -> bool:
        skipped = False
        for word in words:
            if self._next is not None and self._next.word == word:
                self._advance()
                skipped = True
        return skipped

    def skip_name(self) -> None:
        if self._next is None or self._next.text == "(":
            raise refusal("Syntax error: INSERT names no table.", SYNTAX_ERROR)
        self._advance()
        while self.skip_words("."):
            self._advance()

    def skip_brackets(self) -> str:
        start = self.position
        while self._next is not None:
            closing = self._next.text == ")" and self._next.depth == 0
            self._advance()
            if closing:
                break
        return self.sql[start : self.last_end]

    def columns(self) -> str:
        """Return `(a, b)` and go past it; a bracketed query is not a column list."""
        if self._next is None or self._next.text != "(":
            return ""
        inner = next(tokens(self.sql, self._next.end), None)
        if inner is not None and (inner.word in _SOURCES or inner.text == "("):
            return ""
        return self.skip_brackets()

    def find_source(self) -> Token | None:
        """Go to the word that says where the rows are."""
        while self._next is not None:
            token = self._next
            if token.depth == 0 and (
                token.word in _SOURCES
                or token.word in {"VALUES", "FORMAT"}
                or token.text == "("
            ):
                return token
            self._advance()
        return None

    def is_empty_after(self, source: Token) -> bool:
        if source.word not in {"VALUES", "FORMAT"}:
            return False
        self._advance()
        if source.word == "FORMAT":
            self._advance()
        return self._next is None or self._next.text == ";"

    def _advance(self) -> None:
        if self._next is not None:
            self.last_end = self._next.end
        self._next = next(self._tokens, None)


def _split(inside: list[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for token in inside:
        if token.text == "," and token.depth == 1:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _name(part: list[Token]) -> str | None:
    pieces = [token.text for token in part]
    if len(part) > 1 and any(piece == "." for piece in pieces[::2]):
        return None
    if any(piece != "." for piece in pieces[1::2]) or not _is_name(pieces[0]):
        return None
    return "".join(_unquoted(piece) for piece in pieces)


def _is_name(piece: str) -> bool:
    return piece[0] in '`"_' or piece[0].isalpha()


def _unquoted(piece: str) -> str:
    if piece[0] not in '`"':
        return piece
    quote = piece[0]
    inner = piece[1:-1].replace(quote * 2, quote)
    return inner.replace("\\" + quote, quote).replace("\\\\", "\\")
