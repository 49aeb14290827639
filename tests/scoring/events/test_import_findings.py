"""What an import says about a file: odd histories, extent, cells, and how it ends."""

from pathlib import Path

import pytest
from django.core.management import CommandError

from scoring.models import Region
from tests.scoring.events.odd_files import MAP, bring, column, refusal

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "odd.csv"


def history(*more: str) -> str:
    """Write a hundred events of the year 2022 near Chicago, and rows more."""
    rows = [
        f"e{i:03d},2022-{i % 12 + 1:02d}-{i % 28 + 1:02d}T{i % 24:02d}:30:00Z,"
        f"41.{600 + i},-87.{600 + i}"
        for i in range(100)
    ]
    return "\n".join(["id,time,lat,lon", *rows, *more])


def test_a_usual_history_has_nothing_odd(path: Path) -> None:
    report = bring(path, history(), "--map", MAP)

    assert report["oddities"] == []
    assert report["midnight_share"] == 0


def test_placeholder_years_are_counted_and_left_out_when_asked(path: Path) -> None:
    text = history("x,1900-01-01T00:00:00Z,41.7,-87.7")

    said = bring(path, text, "--map", MAP, "--dry-run")["oddities"]
    report = bring(path, text, "--map", MAP, "--since", "2022-01-01")

    assert said[0].startswith("1 of 101 events are more than a year older")
    assert "--since 2022-01-01" in said[0]
    assert (report["accepted"], report["left_out"], report["row_count"]) == (
        100,
        1,
        101,
    )
    assert report["oddities"] == []


def test_a_point_far_away_is_counted_and_left_out_when_asked(path: Path) -> None:
    text = history("x,2022-05-01T00:00:00Z,-33.9,151.2")

    said = bring(path, text, "--map", MAP, "--dry-run")["oddities"]
    report = bring(path, text, "--map", MAP, "--within=-88,41,-87,42")

    assert len(said) == 1
    assert said[0].startswith("1 of 101 events lie far from the others.")
    assert "--within=-88,41,-87,42 leaves them out" in said[0]
    assert (report["accepted"], report["left_out"]) == (100, 1)
    assert "x" not in column("external_id")


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ("1,2,3", "west,south,east,north"),
        ("1,2,3,north", "west,south,east,north"),
        ("1,2,3,nan", "west,south,east,north"),
        ("1,5,3,4", "south > north"),
        ("-190,2,3,4", "outside the globe"),
    ],
)
def test_a_box_is_read_as_by_the_api(path: Path, box: str, said: str) -> None:
    with pytest.raises(CommandError, match=f"--within.*{said}"):
        bring(path, history(), "--map", MAP, f"--within={box}")


def test_events_on_one_day_are_asked_about(path: Path) -> None:
    rows = [f"{i},2000-01-01,41.{i},-87.5" for i in range(10, 30)]
    text = "\n".join(["id,time,lat,lon", *rows])

    report = bring(path, text, "--map", MAP)

    assert report["oddities"][0].startswith(
        "20 of 20 events are on one day, 2000-01-01"
    )
    assert report["midnight_share"] == 1


def test_a_rehearsal_proposes_a_grid(path: Path) -> None:
    report = bring(path, history(), "--map", MAP, "--dry-run")

    chosen = report["proposed_resolution"]
    counts = {int(it): cells for it, cells in report["cells_by_resolution"].items()}
    assert len(counts) == 3
    assert 2 * counts[chosen] <= 100 < 2 * counts[chosen + 1]
    assert report["extent"] == [41.6, -87.699, 41.699, -87.6]
    assert report["columns"] == ["id", "time", "lat", "lon"]
    assert not Region.objects.exists()


def test_a_file_of_refused_rows_ends_with_3(path: Path) -> None:
    error = refusal(path, "id,time,lat,lon\na,never,1,2\n", "--map", MAP)

    assert (error.returncode, str(error)) == (
        3,
        "No row was taken: all 1 were refused.",
    )


@pytest.mark.parametrize(
    ("limit", "passes"), [("1%", True), ("0.5%", False), ("1", True)]
)
def test_a_limit_of_refused_rows_fails_the_run(
    path: Path, limit: str, passes: bool
) -> None:
    text = history("x,never,1,2")
    words = ("--map", MAP, "--max-refused", limit)

    if passes:
        assert bring(path, text, *words)["rejected_count"] == 1
    else:
        with pytest.raises(CommandError, match="1 of 101 rows were refused") as caught:
            bring(path, text, *words)
        assert caught.value.returncode == 1


def test_nothing_new_is_no_failure(path: Path) -> None:
    bring(path, history(), "--map", MAP)

    report = bring(path, history(), "--map", MAP)

    assert (report["accepted"], report["duplicates"]) == (0, 100)


def test_a_new_region_counts_events_by_their_magnitude(path: Path) -> None:
    bring(path, history(), "--map", MAP, "--severity-transform", "magnitude")

    assert Region.objects.get().severity_transform == "magnitude"
