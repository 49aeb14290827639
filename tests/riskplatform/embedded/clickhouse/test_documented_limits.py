"""Each row of the table of limits in the documentation is true of the server."""

import os
import re
from pathlib import Path

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

DOCUMENT = Path(__file__).parents[4] / "docs" / "clickhouse-embedded.md"
ROW = re.compile(r"^\| [^|]+ \| `(?P<statement>.+)` \| (?P<code>\d+) \|$", re.MULTILINE)
ROWS = [(it["statement"], int(it["code"])) for it in ROW.finditer(DOCUMENT.read_text())]

pytestmark = pytest.mark.skipif(
    os.environ.get("RISKPLATFORM_TEST_REAL_CLICKHOUSE") == "1",
    reason="is about the embedded server itself",
)


@pytest.mark.parametrize(("statement", "code"), ROWS)
def test_what_the_documentation_calls_refused_is_refused(
    client: Client, statement: str, code: int
) -> None:
    with pytest.raises(ServerException) as refused:
        client.execute(statement)
    assert refused.value.code == code


def test_every_row_of_the_table_was_read() -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("| ")]
    assert len(ROWS) == len(table) - 1
