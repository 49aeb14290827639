"""The client's query id where the engine's own stands: KILL QUERY, system.processes.

The engine makes ids of its own; which thread runs which query is what both sides know.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from riskplatform.embedded.clickhouse.lexemes import END, Lexeme, Lexer
from riskplatform.embedded.clickhouse.querysettings import quoted

_MENTIONS = re.compile(r"\bprocesses\b|\bkill\b", re.IGNORECASE)
IDS = frozenset({"query_id", "initial_query_id"})
BEFORE_TABLES = frozenset({"FROM", "JOIN"})
Replacement = tuple[int, int, str]


def with_client_ids(sql: str, running: Mapping[int, str], lexer: Lexer) -> str:
    """Let a statement see and kill queries by their clients' ids.

    `running` has the id that a client gave by the native thread that runs the query.
    """
    if not running or _MENTIONS.search(sql) is None:
        return sql
    words = lexer.split(sql)
    kills = [it.keyword for it in words[:2]] == ["KILL", "QUERY"]
    found = _ids(words, running) if kills else _tables(words, running)
    content = sql.encode()
    for start, end, text in reversed(list(found)):
        content = content[:start] + text.encode() + content[end:]
    return content.decode()


def _ids(words: Sequence[Lexeme], running: Mapping[int, str]) -> Iterator[Replacement]:
    for word in words:
        if word.name in IDS:
            yield (
                word.start,
                word.start + len(word.text),
                _client_id(running, word.name),
            )


def _tables(
    words: Sequence[Lexeme], running: Mapping[int, str]
) -> Iterator[Replacement]:
    columns = ", ".join(f"{_client_id(running, it)} AS {it}" for it in sorted(IDS))
    table = f"(SELECT * REPLACE({columns}) FROM system.processes)"  # noqa: S608
    padded = [END, *words, END]
    for before, database, dot, name, after in zip(
        padded, padded[1:], padded[2:], padded[3:], padded[4:], strict=False
    ):
        is_table = before.keyword in BEFORE_TABLES or before.kind == "Comma"
        names = (database.name, dot.text, name.name)
        if is_table and names == ("system", b".", "processes") and after.kind != "Dot":
            yield database.start, name.start + len(name.text), table


def _client_id(running: Mapping[int, str], otherwise: str) -> str:
    cases = ", ".join(
        f"has(thread_ids, {thread}), {quoted(query_id)}"
        for thread, query_id in running.items()
    )
    return f"multiIf({cases}, {otherwise})"
