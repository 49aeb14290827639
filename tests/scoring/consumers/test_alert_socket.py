"""Alerts reach those of their organisation, all of them, in order."""

from typing import Any

import pytest

from perf.realtime.history import history
from perf.realtime.runtime import current_runtime
from perf.realtime.threads import in_thread
from perf.shared_store import store
from riskplatform.api.keys.models import Organisation
from scoring.models import Alert, AlertRule, Region
from scoring.selectors.alerts import alerts_in_full
from scoring.services.alerts.states import acknowledge_alert, record_changes
from scoring.services.announcing import alerts_group
from tests.support.communicating import Sockets, new_key
from tests.support.factories import (
    DAY_S,
    ISSUED_FOR,
    make_alert,
    make_client,
    make_forecast,
    make_organisation,
    make_region,
)


def make_rule(slug: str = "acme") -> AlertRule:
    region = Region.objects.filter(slug="chicago").first() or make_region()
    if not region.forecasts.exists():
        make_forecast(region)
    return AlertRule.objects.create(
        organisation=make_organisation(slug),
        name="hot",
        region=region,
        horizon_sec=DAY_S,
        metric="p_event",
        threshold=0.5,
    )


def open_alert(rule: AlertRule) -> Alert:
    made = make_alert(rule, rule.region.forecasts.get())
    alert = alerts_in_full(Alert.objects.all()).get(pk=made.pk)
    record_changes([alert], kind="opened", now=ISSUED_FOR)  # type: ignore[arg-type]
    return alert


async def followed(sockets: Sockets, **given: Any) -> Any:
    socket = await sockets.open("alerts/", key=await in_thread(new_key), **given)
    return socket, await socket.receive()


async def test_an_alert_is_told_with_what_webhooks_and_rest_say(
    sockets: Sockets,
) -> None:
    rule = await in_thread(make_rule)
    socket, state = await followed(sockets)
    alert = await in_thread(open_alert, rule)
    frame = await socket.receive()
    shown = await in_thread(
        lambda: make_client(make_organisation()).get("/api/v1/alerts").json()
    )
    assert frame["metadata"]["alert"] == shown["results"][0]
    assert frame["type"] == "risk.detected"
    assert frame["metadata"]["occasion"] == "alert.opened"
    assert frame["risk_score"] == alert.value
    assert frame["coordinates"] == [round(alert.lon, 6), round(alert.lat, 6)]
    assert (frame["epoch"], frame["offset"]) == (state["epoch"], state["offset"] + 1)


async def test_what_people_do_with_it_follows(sockets: Sockets) -> None:
    rule = await in_thread(make_rule)
    socket, _ = await followed(sockets)
    alert = await in_thread(open_alert, rule)

    def acknowledge() -> None:
        organisation = Organisation.objects.get(slug="acme")
        acknowledge_alert(alert.pk, organisation=organisation, actor="ann")

    await in_thread(acknowledge)
    opened, acknowledged = [await socket.receive() for _ in range(2)]
    assert acknowledged["type"] == "alert.acknowledged"
    assert acknowledged["metadata"]["actor"] == "ann"
    assert acknowledged["offset"] == opened["offset"] + 1


async def test_another_organisation_hears_nothing(sockets: Sockets) -> None:
    rule = await in_thread(make_rule, "other")
    socket, _ = await followed(sockets)
    await in_thread(open_alert, rule)
    assert await socket.hears_nothing()


async def test_who_comes_back_gets_what_it_missed(sockets: Sockets) -> None:
    rule = await in_thread(make_rule)
    socket, state = await followed(sockets)
    await socket.leave()
    opened = [await in_thread(open_alert, rule) for _ in range(3)]
    after = f"{state['epoch']}:{state['offset']}"
    socket, again = await followed(sockets, after=after)
    assert again == {**state, "recovered": True}
    missed = [await socket.receive() for _ in range(3)]
    told = [frame["metadata"]["alert"]["id"] for frame in missed]
    assert told == [str(alert.pk) for alert in opened]
    last = await in_thread(open_alert, rule)
    frame = await socket.receive()
    assert frame["metadata"]["alert"]["id"] == str(last.pk)


async def test_who_comes_back_after_a_loss_is_told_so(sockets: Sockets) -> None:
    rule = await in_thread(make_rule)
    socket, state = await followed(sockets)
    await socket.leave()
    keys = history._keys(alerts_group(rule.organisation_id))
    store.run(lambda redis: redis.delete(*keys))
    after = f"{state['epoch']}:{state['offset']}"
    socket, again = await followed(sockets, after=after)
    assert again["recovered"] is False
    assert again["epoch"] != state["epoch"]
    await in_thread(open_alert, rule)
    assert (await socket.receive())["offset"] == again["offset"] + 1


async def test_sockets_that_are_open_at_a_loss_are_sent_away(
    sockets: Sockets,
) -> None:
    rule = await in_thread(make_rule)
    socket, _ = await followed(sockets)
    keys = history._keys(alerts_group(rule.organisation_id))
    store.run(lambda redis: redis.delete(*keys))
    await in_thread(open_alert, rule)
    assert await socket.close_code() == 1012


async def test_a_lost_call_costs_a_second_and_no_message(
    sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = await in_thread(make_rule)
    socket, _ = await followed(sockets)
    monkeypatch.setattr(current_runtime().hub, "_call", lambda name: None)
    alert = await in_thread(open_alert, rule)
    frame = await socket.receive()
    assert frame["metadata"]["alert"]["id"] == str(alert.pk)


async def test_alerts_about_a_region_that_was_hidden_are_left_out(
    sockets: Sockets,
) -> None:
    rule = await in_thread(make_rule)
    socket, _ = await followed(sockets)

    def hide() -> None:
        Region.objects.update(is_public=False)

    await in_thread(hide)
    await in_thread(open_alert, rule)
    assert await socket.hears_nothing()
