"""Refuses what reaches outside the server and the engine's grants let through.

The engine checks no grant before the function `file`, `INTO OUTFILE`, `FROM INFILE`,
tables attached from a path, disks described in a statement, and engines and functions
that it does not count as sources. So these are looked for in the statement's own words.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from riskplatform.embedded.clickhouse.errors import (
    ACCESS_DENIED,
    SYNTAX_ERROR,
    refusal,
)
from riskplatform.embedded.clickhouse.folder import SourceAccess
from riskplatform.embedded.clickhouse.lexemes import (
    CLOSING,
    END,
    OPENING,
    TEXTS,
    Lexeme,
    Lexer,
)

FILE = "file"
WORDS = frozenset({"infile", "outfile", "disk", "attach", "engine", "identifier"})
# A name in front of a bracket is a table's after these.
BEFORE_TABLES = frozenset({"INTO", "EXISTS", "VIEW"})
CREATING = frozenset({"CREATE", "INSERT", "ATTACH", "ALTER", "RENAME"})
# `arrayMap(file, ['path'])` and `* APPLY file` call it without a bracket of its own.
TAKES_FUNCTIONS = re.compile("array|map|apply", re.IGNORECASE)
WAY_OUT = (
    "The embedded server reaches no file and no other server for its clients; see "
    "docs/clickhouse-embedded.md for what can be opened, or use a ClickHouse server."
)
ARTIFICIAL = (
    "SELECT lower(name) FROM system.functions WHERE match(name, '^(ai|AI)[A-Z]')"
)


class Spot(NamedTuple):
    """A word with its neighbours, and the function whose brackets it stands in."""

    before: Lexeme
    this: Lexeme
    after: Lexeme
    then: Lexeme
    call: str


class Guard:
    """Looks at statements; what has no suspicious word costs one search of its text."""

    def __init__(self, lexer: Lexer, access: SourceAccess) -> None:
        self._lexer = lexer
        functions = lexer.names("SELECT lower(name) FROM system.table_functions")
        engines = lexer.names("SELECT lower(name) FROM system.table_engines")
        engines |= lexer.names("SELECT lower(name) FROM system.database_engines")
        # Lower-case names of what the engine has and its clients do not get.
        self._functions = functions - {name.lower() for name in access.table_functions}
        self._functions |= lexer.names(ARTIFICIAL) | {FILE}
        self._engines = engines - {name.lower() for name in access.engines}
        words = "|".join(map(re.escape, sorted(WORDS | self._functions)))
        # Escapes in a quoted name may hide one of the words.
        self._suspicious = re.compile(rf"\b(?:{words})\b|\\", re.IGNORECASE | re.ASCII)

    def check(self, sql: str) -> None:
        """Raise ACCESS_DENIED for a statement that reaches outside the server."""
        if self._suspicious.search(sql) is None:
            return
        statement = self._lexer.split(sql)
        first = statement[0].keyword if statement else ""
        if first == "INSERT" and any(it.kind.startswith("Error") for it in statement):
            raise refusal("Syntax error: a quote of the INSERT is open.", SYNTAX_ERROR)
        attaches = any(it.keyword == "ATTACH" for it in statement)
        for spot in _spots(statement):
            reason = (
                _moves_a_file(spot, attaches=attaches)
                or self._calls(spot, creates=first in CREATING)
                or self._names_an_engine(spot)
                or _fills_in_a_name(spot)
            )
            if reason is not None:
                raise refusal(f"{reason} {WAY_OUT}", ACCESS_DENIED)

    def _calls(self, spot: Spot, *, creates: bool) -> str | None:
        name = spot.this.name
        if name.lower() not in self._functions:
            return None
        if spot.after.kind == OPENING:
            is_table = (
                spot.before.kind == "Dot"
                or spot.before.keyword in BEFORE_TABLES
                or (creates and spot.before.keyword == "TABLE")
            )
            return None if is_table else f"The function {name} is switched off."
        is_qualified = "Dot" in {spot.before.kind, spot.after.kind}
        is_handed_on = spot.before.keyword == "APPLY" or TAKES_FUNCTIONS.match(
            spot.call
        )
        if name == FILE and is_handed_on and not is_qualified:
            return (
                "The function file is switched off; a column of that name is written "
                "with its table, as t.file, where a function may stand."
            )
        return None

    def _names_an_engine(self, spot: Spot) -> str | None:
        if spot.this.keyword != "ENGINE":
            return None
        engine = spot.then if spot.after.kind == "Equals" else spot.after
        if engine.name.lower() in self._engines:
            return f"The engine {engine.name} is switched off."
        return None


def _moves_a_file(spot: Spot, *, attaches: bool) -> str | None:
    match spot.before.keyword, spot.this.keyword:
        case ("FROM", "INFILE") | ("INTO", "OUTFILE") if spot.after.kind in TEXTS:
            return f"{spot.before.keyword} {spot.this.keyword} is refused."
    if attaches and spot.before.keyword == "FROM" and spot.this.kind in TEXTS:
        return "ATTACH from a path is refused."
    if (
        spot.before.kind == "Equals"
        and spot.this.name == "disk"
        and spot.after.kind == OPENING
    ):
        return "A disk described in a statement is refused."
    return None


def _fills_in_a_name(spot: Spot) -> str | None:
    # A view with `{f:Identifier}` would take the name of a function.
    if spot.this.name.lower() == "identifier" and spot.before.kind == "Colon":
        return "A name filled in by a parameter is refused."
    return None


def _spots(statement: Sequence[Lexeme]) -> Iterator[Spot]:
    calls = [""]
    words = [END, *statement, END, END]
    for index in range(1, len(words) - 2):
        before, this, after, then = words[index - 1 : index + 3]
        yield Spot(before, this, after, then, calls[-1])
        if this.kind == OPENING:
            # Brackets without a name only group.
            calls.append(before.name or calls[-1])
        elif this.kind == CLOSING and len(calls) > 1:
            calls.pop()
