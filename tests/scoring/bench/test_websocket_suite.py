"""The benchmark of sockets, with fewer of them."""

import pytest
from django.conf import settings

from perf.bench.errors import BenchmarkError
from riskplatform.api.keys.models import Organisation
from scoring.bench import websocket
from tests.support.factories import make_region
from tests.support.realtime import database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_every_socket_gets_the_alert_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url())
    monkeypatch.setenv("SECRET_KEY", settings.SECRET_KEY)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "riskplatform.settings")
    monkeypatch.setattr(websocket, "CLIENTS", 60)
    make_region()
    # The server runs for as long as the suite is at its measurement.
    for measurement in websocket.websocket():
        delays_s = measurement.after()
        assert measurement.check(delays_s)
        assert len(delays_s) == 60
    assert not Organisation.objects.exists()


def test_without_a_public_region_it_says_what_to_do() -> None:
    with pytest.raises(BenchmarkError, match="public region"):
        websocket.region()
