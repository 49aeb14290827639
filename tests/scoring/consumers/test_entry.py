"""Who is let in: by a ticket, a key or a session, and for how long."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from perf.realtime import tickets
from perf.realtime.runtime import current_runtime
from perf.realtime.seats import SeatLimits
from perf.realtime.threads import in_thread
from perf.shared_store import store
from riskplatform.api.keys.models import ApiKey, Membership
from riskplatform.api.keys.services import revoke_keys
from tests.support.communicating import Sockets, new_key
from tests.support.factories import make_forecast, make_organisation, make_region

HOST = "localhost"


def new_ticket(client: Client | None = None, **headers: str) -> str:
    given = client or Client(headers={"Authorization": f"Bearer {new_key()}"})
    answer = given.post("/api/v1/ws-ticket", headers=headers)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["ticket"])


def member() -> tuple[User, Client]:
    user = User.objects.create_user("ann")
    Membership.objects.create(organisation=make_organisation(), user=user)
    client = Client()
    client.force_login(user)
    return user, client


def cookie_of(client: Client) -> dict[str, str]:
    session = client.cookies["sessionid"].value
    return {"cookie": f"sessionid={session}", "origin": f"http://{HOST}:8000"}


async def code_of(sockets: Sockets, path: str = "alerts/", **given: Any) -> int:
    return await (await sockets.open(path, **given)).close_code()


async def test_a_ticket_opens_one_socket(sockets: Sockets) -> None:
    ticket = await in_thread(new_ticket)
    socket = await sockets.open("alerts/", ticket=ticket)
    state = await socket.receive()
    assert (state["type"], state["recovered"]) == ("stream.state", False)
    assert await code_of(sockets, ticket=ticket) == 4401


async def test_a_ticket_that_nobody_used_in_time_opens_nothing(
    sockets: Sockets,
) -> None:
    ticket = await in_thread(new_ticket)
    key = tickets._key(ticket)
    assert store.run(lambda redis: redis.ttl(key)) in range(1, tickets.LIFETIME_S + 1)
    store.run(lambda redis: redis.delete(key))
    assert await code_of(sockets, ticket=ticket) == 4401


def test_redis_holds_nothing_that_opens_a_socket(db: None) -> None:
    ticket = new_ticket()
    found = store.run(lambda redis: [*redis.scan_iter(f"*{ticket}*")])
    assert found == []


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer rp_none"}])
def test_tickets_are_for_those_who_are_known(headers: dict[str, str], db: None) -> None:
    answer = Client().post("/api/v1/ws-ticket", headers=headers)
    assert answer.status_code in {401, 403}


@pytest.mark.parametrize("text", ["", "x", "y" * 3_000, "%00", "a:b"])
async def test_what_is_no_ticket_opens_nothing(text: str, sockets: Sockets) -> None:
    assert await code_of(sockets, ticket=text) in {4400, 4401}


async def test_a_key_in_a_header_opens_a_socket(sockets: Sockets) -> None:
    socket = await sockets.open("alerts/", key=await in_thread(new_key))
    assert (await socket.receive())["type"] == "stream.state"


@pytest.mark.parametrize(
    ("key", "code"), [("rp_aaaaaaaa_" + "a" * 43, 4401), ("none", 4401), ("", 4401)]
)
async def test_whom_nobody_knows_hears_no_alerts(
    key: str, code: int, sockets: Sockets
) -> None:
    assert await code_of(sockets, key=key) == code


async def test_a_key_without_the_scope_is_refused(sockets: Sockets) -> None:
    key = await in_thread(new_key, "events:write")
    assert await code_of(sockets, key=key) == 4403


async def test_a_session_counts_on_pages_of_ours(sockets: Sockets) -> None:
    _, client = await in_thread(member)
    socket = await sockets.open("alerts/", headers=cookie_of(client))
    assert (await socket.receive())["type"] == "stream.state"


async def test_a_page_of_another_site_is_not_even_accepted(sockets: Sockets) -> None:
    _, client = await in_thread(member)
    for origin in ("https://evil.example", "null", f"https://{HOST}.evil.example"):
        headers = {**cookie_of(client), "origin": origin}
        assert not (await sockets.open("alerts/", headers=headers)).is_accepted


async def test_a_session_without_a_page_is_nobody(sockets: Sockets) -> None:
    _, client = await in_thread(member)
    headers = {"cookie": cookie_of(client)["cookie"]}
    assert await code_of(sockets, headers=headers) == 4401


async def test_staff_names_the_organisation_it_acts_for(sockets: Sockets) -> None:
    def staff() -> Client:
        client = Client()
        client.force_login(User.objects.create_superuser("root"))
        return client

    headers = cookie_of(await in_thread(staff))
    assert await code_of(sockets, headers=headers) == 4403


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("nothing/", {}, 4404),
        ("risk-map/nowhere/", {}, 4404),
        ("risk-map/chicago/", {"horizon_sec": "x"}, 4400),
        ("risk-map/chicago/", {"horizon_sec": "9" * 30}, 4400),
        ("risk-map/chicago/", {"horizon_sec": "7"}, 4404),
        ("alerts/", {"after": "nonsense"}, 4400),
        ("jobs/018f0000-0000-7000-8000-000000000000/", {}, 4404),
        ("portfolios/018f0000-0000-7000-8000-000000000000/", {}, 4404),
    ],
)
async def test_a_wrong_address_is_told(
    path: str, query: dict[str, str], code: int, sockets: Sockets
) -> None:
    def made() -> str:
        make_forecast(make_region())
        return new_key()

    key = await in_thread(made)
    assert await code_of(sockets, path, key=key, **query) == code


async def test_a_revoked_key_is_out_within_five_seconds(sockets: Sockets) -> None:
    key = await in_thread(new_key)
    other = await sockets.open("alerts/", key=await in_thread(new_key))
    socket = await sockets.open("alerts/", key=key)
    await socket.receive()
    prefix = key.split("_")[1]
    begun_s = time.monotonic()
    await in_thread(lambda: revoke_keys(list(ApiKey.objects.filter(prefix=prefix))))
    assert await socket.close_code() == 4401
    # The interval of the check, not the speed of the machine.
    assert time.monotonic() - begun_s < 20
    await other.receive()
    assert await other.hears_nothing()


async def test_a_key_that_expires_is_out(sockets: Sockets) -> None:
    key = await in_thread(new_key)
    socket = await sockets.open("alerts/", key=key)
    past = timezone.now() - timedelta(seconds=1)
    await in_thread(lambda: ApiKey.objects.update(expires_at=past))
    assert await socket.close_code() == 4401


async def test_a_membership_that_ends_is_out(sockets: Sockets) -> None:
    user, client = await in_thread(member)
    by_cookie = await sockets.open("alerts/", headers=cookie_of(client))
    ticket = await in_thread(new_ticket, client)
    by_ticket = await sockets.open("alerts/", ticket=ticket)
    await in_thread(lambda: Membership.objects.filter(user=user).delete())
    assert await by_cookie.close_code() == 4401
    assert await by_ticket.close_code() == 4401


async def test_who_signs_out_is_out(sockets: Sockets) -> None:
    _, client = await in_thread(member)
    socket = await sockets.open("alerts/", headers=cookie_of(client))
    await in_thread(client.logout)
    assert await socket.close_code() == 4401


async def test_a_region_made_private_is_out(sockets: Sockets) -> None:
    def made() -> Any:
        region = make_region()
        make_forecast(region)
        return region

    region = await in_thread(made)
    socket = await sockets.open("risk-map/chicago/")
    await socket.receive()

    def hide() -> None:
        region.is_public = False
        region.save()

    await in_thread(hide)
    assert await socket.close_code() == 4403


async def test_one_key_has_so_many_sockets(sockets: Sockets) -> None:
    limits = SeatLimits(in_all=9, per_principal=2, per_address=9)
    current_runtime().seats.limits = limits
    key = await in_thread(new_key)
    first, _ = [await sockets.open("alerts/", key=key) for _ in range(2)]
    assert await code_of(sockets, key=key) == 4429
    await first.leave()
    socket = await sockets.open("alerts/", key=key)
    assert (await socket.receive())["type"] == "stream.state"


async def test_a_client_may_ask_whether_it_is_heard(sockets: Sockets) -> None:
    socket = await sockets.open("alerts/", key=await in_thread(new_key))
    state = await socket.receive()
    await socket.says('{"type": "ping"}')
    pong = await socket.receive()
    assert pong == {
        "type": "pong",
        "epoch": state["epoch"],
        "offset": state["offset"],
    }


@pytest.mark.parametrize("text", ["", "x", "{}", '{"type": "subscribe"}', "[" * 900])
async def test_it_may_say_nothing_else(text: str, sockets: Sockets) -> None:
    socket = await sockets.open("alerts/", key=await in_thread(new_key))
    await socket.receive()
    await socket.says(text)
    assert await socket.close_code() == 4400


async def test_a_client_that_talks_without_end_is_out(sockets: Sockets) -> None:
    socket = await sockets.open("alerts/", key=await in_thread(new_key))
    await socket.receive()
    for _ in range(30):
        await socket.says('{"type": "ping"}')
    assert await socket.close_code() == 4429
