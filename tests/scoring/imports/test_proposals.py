"""How a file is read is found by looking at it and by a dry run."""

from argparse import Namespace
from pathlib import Path

import pytest

from analytics.ingest.column_map import ColumnMap, parts_of
from analytics.ingest.files import FileFormat
from analytics.ingest.presets import PRESETS, find_preset
from riskplatform.kernel.errors import InvalidInputError
from scoring.models import Region
from scoring.services.imports.arguments import parse_words
from scoring.services.imports.proposals import Proposal, propose
from scoring.services.imports.requests import request_of
from scoring.services.imports.running import import_into

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
START = "time,lat,lon,mag\n"


def proposed(path: Path, *words: str) -> Proposal:
    new = Region(slug="new", name="New", timezone="UTC", resolution=8)
    return propose(
        path,
        parse_words(words),
        lambda options: import_into(
            "new", path, new=new, request=request_of(path, _dry(options))
        ),
    )


def _dry(options: Namespace) -> Namespace:
    options.dry_run = True
    return options


@pytest.mark.parametrize("name", PRESETS)
def test_the_layout_of_a_publisher_is_recognised(name: str) -> None:
    preset = PRESETS[name]
    columns = ColumnMap.parse(preset.column_map).columns.values()
    names = [part for column in columns for part in parts_of(column)]
    file_format = preset.file_format or FileFormat.CSV
    assert find_preset([*names, "and more"], file_format=file_format) == name
    assert find_preset(names[:2], file_format=file_format) is None


@pytest.mark.parametrize(
    ("rows", "added"),
    [
        ("2024-01-25T10:00:00Z,41.8,-87.6,2\n", ()),
        ("25/01/2024 10:00,41.8,-87.6,2\n", ("--time-format", "%d/%m/%Y %H:%M")),
        # Two formats fit: the report says which, a person says the one.
        ("01/02/2024 10:00,41.8,-87.6,2\n", ()),
        (
            '25/01/2024 10:00,"41,8","-87,6","2,5"\n',
            ("--time-format", "%d/%m/%Y %H:%M", "--decimal", ","),
        ),
    ],
)
def test_options_are_added_where_one_fits(
    rows: str, added: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "some file.csv"
    path.write_text(START + rows, encoding="utf-8")
    found = proposed(path)
    start = ("--map", "occurred_at=time,lat=lat,lon=lon,severity=mag")
    assert found.words[:4] == (*start, "--source", "some-file")
    assert set(found.words[4:]) == set(added)


def test_what_is_given_is_not_proposed(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(START + "25/01/2024,41.8,-87.6,2\n", encoding="utf-8")
    words = ("--map", "occurred_at=time,lat=lat,lon=lon", "--source", "x")
    found = proposed(path, *words, "--time-format", "iso")
    assert found.words == ()
    assert found.tried.report.is_all_refused


def test_columns_that_say_nothing_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text("a,b,c\n1,2,3\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="The columns are: a, b, c"):
        proposed(path)


@pytest.mark.parametrize(
    "words", [["--rejections", "x"], ["--save-source", "x"], ["--list-sources"], ["x"]]
)
def test_only_options_of_reading_are_taken(words: list[str]) -> None:
    with pytest.raises(InvalidInputError, match=words[0]):
        parse_words(words)
