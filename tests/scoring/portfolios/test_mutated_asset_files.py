"""However a file of assets is damaged: counts add up, or a sentence says why not."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from analytics.ingest.unpacking import ByteSource
from riskplatform.kernel.errors import ApplicationError
from scoring.models import Portfolio
from scoring.services.portfolios.asset_import import (
    AssetFile,
    ImportOptions,
    read_assets,
    store_assets,
)
from scoring.services.portfolios.asset_layouts import ReadingOptions
from tests.scoring.portfolios.mutated_asset_files import mutated_assets
from tests.support.factories import make_portfolio

pytestmark = [pytest.mark.django_db, pytest.mark.databases]
REHEARSAL = ImportOptions(is_replacing=True, is_dry_run=True)


def read(content: bytes, reading: ReadingOptions, path: Path) -> AssetFile | None:
    """Read a file; None where a sentence says why there is none."""
    path.write_bytes(content)
    try:
        with ByteSource(path) as source:
            file = read_assets(source, name="assets", reading=reading)
            return None if source.fault is not None else file
    except ApplicationError:
        return None


def store(portfolio: Portfolio, file: AssetFile) -> int:
    """Rehearse the import of what was read; give how many assets there would be."""
    try:
        done = store_assets(portfolio, file, options=REHEARSAL)
    except ApplicationError:
        return 0
    assert done.row_count == done.created_count + done.replaced_count == len(file.rows)
    assert 0 <= done.outside_count <= done.row_count
    assert done.without_curve_count == done.row_count
    return done.row_count


def check(numbers: Iterable[int], folder: Path) -> tuple[int, int, int]:
    """Import many files; give how many rows were taken and refused, and no files."""
    portfolio, taken, refused, unread = make_portfolio(), 0, 0, 0
    for number in numbers:
        file = read(*mutated_assets(number), folder / "assets")
        if file is None:
            unread += 1
            continue
        bad_rows = {fault.field[0] for fault in file.faults}
        assert all(fault.reason for fault in file.faults), number
        assert file.fault_count == len(file.faults), number
        left_out = file.unlocated_count + file.repeated_count
        assert file.row_count == len(file.rows) + left_out + len(bad_rows), number
        taken += store(portfolio, file)
        refused += len(bad_rows)
    return taken, refused, unread


def test_some_hundred_mutated_files_of_assets_add_up(tmp_path: Path) -> None:
    taken, refused, unread = check(range(300), tmp_path)

    assert taken > 100
    assert refused > 50
    assert unread < 150


@pytest.mark.long
def test_twenty_thousand_mutated_files_of_assets_add_up(tmp_path: Path) -> None:
    taken, refused, unread = check(range(20_000), tmp_path)

    assert taken > 10_000
    assert refused > 5_000
    assert unread < 10_000
