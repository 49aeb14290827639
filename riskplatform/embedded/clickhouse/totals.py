"""Rows beside the rows: WITH TOTALS and extremes, which the Native format leaves out.

The engine's JSON has them, and the number of rows before LIMIT. A statement that asks
for them is answered in JSON, which the engine itself turns into blocks.
"""

import json
import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskplatform.embedded.clickhouse.engine import ColumnHeader, Session
from riskplatform.embedded.clickhouse.errors import NOT_IMPLEMENTED, refusal
from riskplatform.embedded.clickhouse.nativeblock import block_of_buffers
from riskplatform.embedded.clickhouse.querysettings import SettingValue, quoted

_ASKS = re.compile(r"\b(?:totals|extremes)\b", re.IGNORECASE)
ROWS_AT_ONCE = 8_192
# The engine's JSON has it instead of bytes that are no text.
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# No digit is lost on the way through JSON, and no second hour of a clock going back.
LOSSLESS = {
    "output_format_json_quote_64bit_integers": SettingValue(value="1"),
    "output_format_json_quote_decimals": SettingValue(value="1"),
    "output_format_json_quote_denormals": SettingValue(value="1"),
    "date_time_output_format": SettingValue(value="iso"),
    "date_time_input_format": SettingValue(value="best_effort"),
    "max_query_size": SettingValue(value="0"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A block of totals, or of the least and the greatest value of each column."""

    block: bytes
    is_totals: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeLimit:
    rows: int


Rows = Sequence[Sequence[Any]]
Parts = Generator[list[ColumnHeader] | bytes | Beside | BeforeLimit, None, None]


def asks_for_totals(sql: str, settings: Mapping[str, SettingValue]) -> bool:
    """Return whether an answer may have such rows; a wrong yes costs time alone."""
    extremes = settings.get("extremes")
    return _ASKS.search(sql) is not None or (
        extremes is not None and extremes.value not in {"0", "false"}
    )


def parts_with_totals(session: Session, sql: str) -> Parts:
    """Yield columns and blocks, then what stands beside them."""
    columns = session.describe_query(sql)
    yield columns
    text = session.execute(sql, "JSONCompact").decode()
    if REPLACEMENT in text:
        raise refusal(
            "The embedded server sends totals and extremes beside text in UTF-8 alone. "
            "Ask for hex() of the bytes, or without totals and extremes.",
            NOT_IMPLEMENTED,
        )
    answer = json.loads(_in_order(text))
    rows = answer["data"]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield _block(session, columns, rows[start : start + ROWS_AT_ONCE])
    if "totals" in answer:
        block = _block(session, columns, [answer["totals"]])
        yield Beside(block=block, is_totals=True)
    if "extremes" in answer:
        ends = answer["extremes"]
        block = _block(session, columns, [ends["min"], ends["max"]])
        yield Beside(block=block, is_totals=False)
    if "rows_before_limit_at_least" in answer:
        yield BeforeLimit(rows=answer["rows_before_limit_at_least"])


def _in_order(text: str) -> str:
    # Where there are no rows, the engine writes what follows them first of all.
    early, brace, rest = text.partition("{")
    start, gap, end = rest.partition('"data":\n\t[\n')
    return f"{brace}{start}{gap}{early}{end}"


def _block(session: Session, columns: Sequence[ColumnHeader], rows: Rows) -> bytes:
    # Columns of a result may share a name, those of a table may not.
    structure = ", ".join(f"c{i} {it.type_name}" for i, it in enumerate(columns))
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    sql = (
        f"SELECT * FROM format(JSONCompactEachRow, {quoted(structure)}, "  # noqa: S608
        f"{quoted(lines)}) SETTINGS max_block_size = {ROWS_AT_ONCE}, max_threads = 1"
    )
    with session.aside():
        return block_of_buffers(session.execute(sql, "Buffers"), columns)
