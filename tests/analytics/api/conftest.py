"""Regions that requests for events are about."""

import pytest

from analytics import placement
from tests.analytics.api.reading import TwoRegions


@pytest.fixture
def two_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a public region and one that is not."""
    monkeypatch.setattr(placement, "_registered", [TwoRegions()])
