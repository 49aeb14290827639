"""What all tests share: a region, a platform of processes, a clean cache."""

import gc
from collections.abc import Generator
from contextlib import suppress

import hypothesis
import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from perf.cache.change_feed import feed
from perf.shared_store import StoreUnavailableError
from scoring.models import Region
from tests.support.emptying import tables_are_emptied_by_rows
from tests.support.factories import DAY_S, make_forecast, make_region
from tests.support.published_changes import what_is_written_is_published
from tests.support.webs import Platform, filled_platform

# How long an example takes is the machine's affair.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

__all__ = ["tables_are_emptied_by_rows", "what_is_written_is_published"]


def pytest_collection_finish() -> None:
    """Spare every garbage collection of the run what stays until its end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Generator[None]:
    """Give up the answers of earlier tests: they write without publishing changes.

    Nor does the feed stay live for tests that count on its silence.
    """
    with suppress(StoreUnavailableError):
        feed.shared.renew_epoch()
    feed.copies.clear()
    yield
    feed.stop()
    # The next test may start it again.
    feed._listening_pid = 0


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Generator[Platform]:
    """Give a filled platform, made once for all tests that ask real web processes."""
    with filled_platform(tmp_path_factory.mktemp("platform")) as filled:
        yield filled


@pytest.fixture
def published_forecast(db: None) -> Region:
    """Give a public region with forecasts for one day and for seven."""
    region = make_region()
    make_forecast(region, horizon_sec=DAY_S)
    make_forecast(region, horizon_sec=7 * DAY_S, scale=4.0)
    return region


@pytest.fixture
def no_events(db: None) -> None:
    """Empty the table of events: ClickHouse takes nothing back after a test."""
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute("TRUNCATE TABLE analytics_event")


@pytest.fixture
def stranger() -> Client:
    return Client()


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="admin"))
    return client
