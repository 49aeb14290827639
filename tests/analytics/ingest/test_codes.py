"""The table of codes in the documentation has each code once, and no other."""

import re
from pathlib import Path

from analytics.ingest.rules import RowCode
from scoring.services.portfolios.asset_values import AssetCode

DOCUMENT = Path(__file__).parents[3] / "docs" / "ingestion.md"


def test_every_code_of_a_refused_row_is_documented_once() -> None:
    _, _, section = DOCUMENT.read_text(encoding="utf-8").partition("## Codes")
    documented = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert documented == [*RowCode, *AssetCode]


def test_no_fact_has_a_code_of_its_own_for_assets() -> None:
    assert not set(RowCode) & set(AssetCode)
