"""A tab of a real browser, and the dashboard of a published forecast in it."""

from collections.abc import Iterator

import pytest
from pytest_django.live_server_helper import LiveServer

from scoring.models import Region
from tests.browser.chromium import EXECUTABLE, Browser, Page, open_browser
from tests.browser.dashboard_page import IS_READY


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not EXECUTABLE.exists():
        pytest.skip(f"{EXECUTABLE} is not installed; `make setup-extras` installs it")
    with open_browser(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.page() as tab:
        yield tab


@pytest.fixture
def dashboard(live_server: LiveServer, published_forecast: Region, page: Page) -> Page:
    page.open(f"{live_server.url}/?region={published_forecast.slug}")
    page.wait_for(IS_READY)
    return page
