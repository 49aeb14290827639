"""`manage.py import_portfolio`: a file of assets from the command line."""

import gzip
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from analytics.ingest.unpacking import ByteSource
from riskplatform.api.keys.models import Organisation
from scoring.models import Asset, Portfolio
from tests.support.factories import make_portfolio

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

BODY = "id,lat,lon,value\na,41.85,-87.68,10\nb,0,0,5\n"


def run(file: Path, *options: str) -> str:
    out = StringIO()
    where = ("--organisation", "acme", "--portfolio", "Shops")
    call_command("import_portfolio", str(file), *where, *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "assets.csv"
    path.write_text(BODY, encoding="utf-8")
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_makes_the_portfolio_and_reports(
    packed: bool, file: Path, acme: Organisation
) -> None:
    if packed:
        file.write_bytes(gzip.compress(file.read_bytes()))
    report = json.loads(run(file, "--currency", "EUR", "--json"))
    portfolio = Portfolio.objects.get()
    assert report == {
        "portfolio_id": str(portfolio.pk),
        "portfolio": "Shops",
        "format": "minimal",
        "rows": 2,
        "created": 2,
        "replaced": 0,
        "outside_count": 2,
        "outside_value": "15.00",
        "asset_count": 2,
        "total_value": "15.00",
        "currency": "EUR",
        "dry_run": False,
        "ignored_terms": {},
        "without_curve_count": 2,
        "unlocated_count": 0,
        "repeated_count": 0,
    }


def test_the_dialect_of_a_file_can_be_named(file: Path, acme: Organisation) -> None:
    file.write_text("id|lat|lon|value\na|1,5|2|$1.234,5\n", encoding="utf-8")
    dialect = ("--delimiter", "|", "--decimal", ",", "--thousands", ".")
    report = json.loads(run(file, "--currency", "USD", "--json", *dialect))
    assert report["total_value"] == "1234.50"
    file.write_text("# made by hand\na,1,2,250K\n", encoding="utf-8")
    bare = ("--comment", "#", "--columns", "id,lat,lon,value", "--replace")
    assert json.loads(run(file, "--json", *bare))["total_value"] == "250000.00"


def test_repeating_needs_to_be_asked_for(file: Path, acme: Organisation) -> None:
    make_portfolio(acme)
    assert "2 assets were added to 'Shops' and 0 replaced" in run(file)
    with pytest.raises(CommandError, match="2 faults in 2 rows"):
        run(file)
    assert "0 assets were added to 'Shops' and 2 replaced" in run(file, "--replace")
    assert Asset.objects.count() == 2


def test_a_rehearsal_leaves_nothing_behind(file: Path, acme: Organisation) -> None:
    text = run(file, "--currency", "USD", "--dry-run")
    assert "2 assets would be added to 'Shops'" in text
    assert not Portfolio.objects.exists()


def test_faults_are_listed_with_their_rows(
    file: Path, acme: Organisation, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"{n},x,0,1\n" for n in range(25))
    file.write_text(f"id,lat,lon,value\n{rows}", encoding="utf-8")
    with pytest.raises(CommandError, match="25 faults in 25 rows"):
        run(file, "--currency", "USD")
    shown = capsys.readouterr().err.splitlines()
    assert shown[0] == "row 2, column lat: 'x' is not a number."
    assert (len(shown), shown[-1]) == (21, "… and 5 more.")
    assert not Portfolio.objects.exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "Add --currency"),
        (("--currency", "dollars"), "three capital letters"),
    ],
)
def test_says_what_it_needs(
    options: tuple[str, ...], complaint: str, file: Path, acme: Organisation
) -> None:
    with pytest.raises(CommandError, match=complaint):
        run(file, *options)
    assert not Portfolio.objects.exists()


def test_refuses_an_unknown_organisation_and_a_missing_file(
    file: Path, db: None
) -> None:
    with pytest.raises(CommandError, match="no organisation 'acme'"):
        run(file)
    with pytest.raises(CommandError, match="does not exist"):
        run(file.with_name("none.csv"))


def test_a_packed_file_that_breaks_off_is_not_imported(
    file: Path, acme: Organisation
) -> None:
    body = BODY + "".join(f"r{n},0,0,{n}\n" for n in range(5_000))
    packed = gzip.compress(body.encode())
    file.write_bytes(packed[:-200])
    with pytest.raises(CommandError, match="ends here"):
        run(file, "--currency", "USD")
    assert not Portfolio.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_file_is_read_before_the_database_is_written_to(
    file: Path, acme: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_back: list[bool] = []
    read = ByteSource.__iter__

    def noting(source: ByteSource) -> Iterator[bytes]:
        for piece in read(source):
            held_back.append(connection.in_atomic_block)
            yield piece

    monkeypatch.setattr(ByteSource, "__iter__", noting)
    run(file, "--currency", "EUR")
    assert held_back
    assert not any(held_back)
