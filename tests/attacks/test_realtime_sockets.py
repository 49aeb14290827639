"""Sockets and streams through a real server: its end, its limits, slow clients."""

import http.client
import json
import signal
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import websocket

from perf.realtime.announcements import announce
from riskplatform.embedded.ports import LOOPBACK
from riskplatform.kernel.ids import uuid7
from scoring.models import Region
from scoring.services.announcing import alerts_group
from tests.support.communicating import new_key
from tests.support.factories import make_organisation, make_region
from tests.support.realtime import Realtime, realtime_process

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
BODY = (
    b'{"type":"risk.detected","padding":"%b","metadata":{"alert":{"region":"chicago"}}}'
)


@pytest.fixture
def realtime(transactional_db: None) -> Generator[Realtime]:
    with realtime_process() as running:
        yield running


def tell(count: int = 1, *, size: int = 1) -> None:
    """Announce messages that look like alerts to an organisation."""
    if not Region.objects.exists():
        make_region()
    group = alerts_group(make_organisation().pk)
    body = BODY % (b"x" * size)
    announce(group, [(uuid7(), body) for _ in range(count)])


def read_events(response: Any, count: int) -> list[dict[str, str]]:
    events: list[dict[str, str]] = []
    event: dict[str, str] = {}
    while len(events) < count:
        line = response.readline().decode().strip()
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif "data" in event:
            events.append(event)
            event = {}
        else:
            event = {}
    return events


def stream(port: int, key: str, **headers: str) -> Any:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=20)
    given = {"Host": "localhost", "Authorization": f"Bearer {key}", **headers}
    connection.request("GET", "/api/v1/stream/alerts", headers=given)
    return connection, connection.getresponse()


def test_an_alert_comes_over_sockets_and_over_the_stream(realtime: Realtime) -> None:
    key = new_key()
    socket = realtime.connect("alerts/", key=key)
    state = socket.receive()
    connection, response = stream(realtime.port, key)
    with closing(connection):
        assert response.headers["content-type"] == "text/event-stream"
        tell()
        frame = socket.receive()
        begun, event = read_events(response, 2)
    assert json.loads(begun["data"]) == state
    assert json.loads(event["data"]) == frame
    assert event["event"] == "risk.detected"
    assert event["id"] == f"{frame['epoch']}:{frame['offset']}"
    tell(2)
    connection, response = stream(realtime.port, key, **{"Last-Event-ID": event["id"]})
    with closing(connection):
        again, *missed = read_events(response, 3)
    assert json.loads(again["data"])["recovered"] is True
    assert [json.loads(each["data"])["offset"] for each in missed] == [
        frame["offset"] + 1,
        frame["offset"] + 2,
    ]


def test_a_stream_that_is_not_opened_is_a_problem(realtime: Realtime) -> None:
    connection, response = stream(realtime.port, "rp_wrong")
    with closing(connection):
        problem = json.loads(response.read())
    assert (response.status, problem["code"]) == (401, "unauthorized")


def test_the_end_of_the_process_is_told_to_all(realtime: Realtime) -> None:
    key = new_key()
    socket = realtime.connect("alerts/", key=key)
    socket.receive()
    connection, response = stream(realtime.port, key)
    with closing(connection):
        read_events(response, 1)
        realtime.process.send_signal(signal.SIGTERM)
        assert socket.close_code() == 1012
        assert response.read() == b""
    assert realtime.process.wait(20) == 0


def test_what_a_client_sends_is_bounded(realtime: Realtime) -> None:
    socket = realtime.connect("alerts/", key=new_key())
    socket.receive()
    socket.client.send("x" * 70_000)
    assert socket.close_code_or_cut() in {1009, None}


def test_refusals_have_their_codes(realtime: Realtime) -> None:
    assert realtime.connect("alerts/", key="rp_wrong").close_code() == 4401
    assert realtime.connect("nothing/").close_code() == 4404
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        websocket.create_connection(
            f"ws://{LOOPBACK}:{realtime.port}/ws/v1/alerts/",
            origin="https://evil.example",
        )


def test_a_client_that_reads_nothing_hurts_nobody(realtime: Realtime) -> None:
    key = new_key()
    stuck = [realtime.connect("alerts/", key=key) for _ in range(3)]
    reading = realtime.connect("alerts/", key=key)
    first = reading.receive()["offset"]
    for _ in range(90):
        tell(10, size=20_000)
        got = [reading.receive()["offset"] for _ in range(10)]
        assert got == list(range(first + 1, first + 11))
        first = got[-1]
    memory = resident_mb(realtime.process.pid)
    # 3 sockets times 18 MB would be there, had all been kept.
    for socket in stuck:
        assert socket.close_code_or_cut() in {4429, None}
    assert memory < 400


def resident_mb(pid: int) -> float:
    statm = Path(f"/proc/{pid}/statm").read_text(encoding="ascii")
    return int(statm.split()[1]) * 4_096 / 1e6
