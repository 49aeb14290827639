"""Anonymous requests, however many, leave little in the log."""

import io
import logging
from collections.abc import Generator
from typing import TextIO, cast

import pytest
from django.test import Client

from riskplatform.kernel.log_folding import FoldingHandler

pytestmark = pytest.mark.django_db
N_REQUESTS = 200
# Some lines of each kind, and the tracebacks of those that have one.
MOST_BYTES = 40_000


@pytest.fixture
def written() -> Generator[io.StringIO]:
    """Collect what the handler that the settings name would write."""
    [handler] = [one for one in logging.getLogger().handlers if one.name == "stderr"]
    folding = cast("FoldingHandler", handler)
    out = io.StringIO()
    before = folding.setStream(out)
    # What other tests have logged in these seconds is no repetition here.
    folding._windows.clear()
    yield out
    folding.setStream(cast("TextIO", before))


def test_a_thousand_requests_of_strangers_are_some_lines(
    written: io.StringIO, stranger: Client
) -> None:
    for number in range(N_REQUESTS):
        stranger.get(f"/nothing/here/{number}")
        stranger.get(f"/api/v1/nothing/{number}")
        stranger.get("/", headers={"host": f"host-{number}.example"})
        stranger.post(f"/api/v1/events?source=s{number}")
        stranger.get("/admin/login/" + "x" * 2_000)

    text = written.getvalue()
    assert "Not Found: /nothing/here/0" in text
    assert len(text) < MOST_BYTES
