"""Maps, portfolios and jobs: the newest state, as REST shows it."""

import json
import struct
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from perf.jobs.models import Job
from perf.jobs.queue import enqueue_job
from perf.jobs.runner import job_runner, run_next_job, runners
from perf.realtime.threads import in_thread
from scoring.models import Forecast, Region
from scoring.services.announcing import announce_forecasts
from tests.support.communicating import Sockets, new_key
from tests.support.factories import (
    ISSUED_FOR,
    make_asset,
    make_client,
    make_organisation,
    make_portfolio,
    make_region,
    make_vulnerability,
)
from tests.support.forecasts_with_events import make_forecast_with_events

pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "clickhouse"]
)
HOUR = timedelta(hours=1)


def publish(hours: int, scale: float) -> Forecast:
    region = Region.objects.first() or make_region()
    forecast = make_forecast_with_events(
        region, issued_for=ISSUED_FOR + hours * HOUR, scale=scale
    )
    announce_forecasts([forecast])
    return forecast


def rest_map() -> Any:
    client = make_client(make_organisation())
    return client.get("/api/v1/risk-map?region=chicago&horizon_sec=86400").json()


async def test_a_map_is_sent_as_rest_gives_it(sockets: Sockets) -> None:
    first = await in_thread(publish, 0, 1.0)
    socket = await sockets.open("risk-map/chicago/")
    await socket.receive()
    await in_thread(publish, 1, 1.5)
    frame = await socket.receive()
    assert frame["type"] == "forecast.published"
    assert frame["base_forecast_id"] == str(first.pk)
    assert frame["map"] == await in_thread(rest_map)


async def test_cells_that_did_not_change_are_left_out(sockets: Sockets) -> None:
    await in_thread(publish, 0, 1.0)
    socket = await sockets.open("risk-map/chicago/")
    await socket.receive()
    await in_thread(publish, 1, 1.0)
    assert (await socket.receive())["map"]["aggregated"] == []


async def test_the_binary_form_says_the_same(sockets: Sockets) -> None:
    await in_thread(publish, 0, 1.0)
    offered = ["other", "riskplatform.binary", "riskplatform.json"]
    socket = await sockets.open("risk-map/chicago/", subprotocols=offered)
    assert socket.answer["subprotocol"] == "riskplatform.binary"
    await socket.receive()
    await in_thread(publish, 1, 1.5)
    body = (await socket.raw())["bytes"]
    (length,) = struct.unpack("<I", body[4:8])
    head, count = json.loads(body[8 : 8 + length]), 37
    assert (body[:4], head["cell_count"]) == (b"RMD1", count)
    arrays = body[8 + length :]
    cells = np.frombuffer(arrays[: 8 * count], "<u8")
    figures = np.frombuffer(arrays[8 * count :], "<f4").reshape(4, count)
    rest = (await in_thread(rest_map))["aggregated"]
    assert cells.tolist() == [int(row["cell_id"]) for row in rest]
    for values, name in zip(figures, ("p_event", "q05", "q50", "q95"), strict=True):
        np.testing.assert_allclose(values, [row[name] for row in rest], rtol=1e-6)


async def test_a_forecast_for_the_past_changes_no_map(sockets: Sockets) -> None:
    await in_thread(publish, 5, 1.0)
    socket = await sockets.open("risk-map/chicago/")
    await socket.receive()
    await in_thread(publish, 1, 9.0)
    assert await socket.hears_nothing()


async def test_who_comes_back_gets_one_map_of_what_it_missed(
    sockets: Sockets,
) -> None:
    first = await in_thread(publish, 0, 1.0)
    socket = await sockets.open("risk-map/chicago/")
    state = await socket.receive()
    await socket.leave()
    for hours in (1, 2, 3):
        await in_thread(publish, hours, 1.0 + hours)
    after = f"{state['epoch']}:{state['offset']}"
    socket = await sockets.open("risk-map/chicago/", after=after)
    assert (await socket.receive())["recovered"] is True
    frame = await socket.receive()
    assert frame["base_forecast_id"] == str(first.pk)
    assert frame["map"] == await in_thread(rest_map)
    assert frame["offset"] == state["offset"] + 3


async def test_a_portfolio_is_assessed_with_every_forecast(sockets: Sockets) -> None:
    def made() -> tuple[str, str]:
        publish(0, 1.0)
        organisation = make_organisation()
        portfolio = make_portfolio(organisation)
        curve = make_vulnerability(organisation)
        make_asset(portfolio, vulnerability=curve)
        return str(portfolio.pk), new_key()

    portfolio, key = await in_thread(made)
    socket = await sockets.open(f"portfolios/{portfolio}/", key=key)
    await socket.receive()
    before = await socket.receive()
    forecast = await in_thread(publish, 1, 2.0)
    after = await socket.receive()
    assert after["type"] == "portfolio.assessed"
    assert after["assessment"]["forecast_id"] == str(forecast.pk)
    assert before["assessment"]["id"] != after["assessment"]["id"]

    def assessed() -> Any:
        client = make_client(make_organisation())
        return client.get(f"/api/v1/assessments/{after['assessment']['id']}").json()

    assert after["assessment"] == await in_thread(assessed)


async def test_a_job_is_followed_to_its_end(sockets: Sockets) -> None:
    def queued() -> tuple[Job, str]:
        job = enqueue_job(
            "followed", parameters={}, organisation=make_organisation(), total=2
        )
        return job, new_key()

    @job_runner("followed")
    def run(job: Job, progress: Any) -> dict[str, Any]:
        progress(2)
        return {"sum": 3}

    try:
        job, key = await in_thread(queued)
        socket = await sockets.open(f"jobs/{job.pk}/", key=key)
        await socket.receive()
        assert (await socket.receive())["job"]["state"] == "queued"
        await in_thread(run_next_job)
        frame = await socket.receive()
        while frame["job"]["state"] == "running":
            frame = await socket.receive()
        assert frame["job"]["state"] == "succeeded"
        assert frame["job"]["result"] == {"sum": 3}
        assert await socket.close_code() == 1000
    finally:
        del runners["followed"]


async def test_a_job_that_nobody_told_of_is_seen_in_its_table(
    sockets: Sockets,
) -> None:
    def queued() -> tuple[Job, str]:
        job = enqueue_job("silent", parameters={}, organisation=make_organisation())
        return job, new_key()

    job, key = await in_thread(queued)
    socket = await sockets.open(f"jobs/{job.pk}/", key=key)
    await socket.receive()
    await socket.receive()
    await in_thread(lambda: Job.objects.update(state="cancelled"))
    assert (await socket.receive())["job"]["state"] == "cancelled"
    assert await socket.close_code() == 1000


async def test_jobs_of_others_are_not_there(sockets: Sockets) -> None:
    def queued() -> tuple[Job, str]:
        other = make_organisation("other")
        return enqueue_job("own", parameters={}, organisation=other), new_key()

    job, key = await in_thread(queued)
    assert await (await sockets.open(f"jobs/{job.pk}/", key=key)).close_code() == 4404
