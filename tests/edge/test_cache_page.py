"""Staff see what the edge cache holds and does, and may clear it."""

import re
from collections.abc import Generator

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from redis import Redis

from perf import admin as cache_admin
from perf.cache.assembly import new_bus
from perf.circuit import Circuit
from perf.shared_store import SharedStore
from riskplatform.embedded.valkey import ValkeyServer
from tests.edge.webs import Platform
from tests.perf.edge_harness import redis_client
from tests.perf.waiting import wait_until

PAGE = reverse("admin:perf_edgecachestatus_changelist")
CLEAR = reverse("admin:perf_edgecachestatus_clear")
MAP = "risk-map?region=chicago&horizon_sec=86400&min_p=0.03"


def clerk_client(*permissions: str) -> Client:
    clerk = User.objects.create_user("clerk", password="p", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(clerk)
    return client


@pytest.fixture
def page_store(
    valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> Generator[None]:
    """Have the page look where no process of another test says anything."""
    with Redis.from_url(valkey.url, socket_timeout=1.0) as client:
        store = SharedStore(lambda: client)
        bus = new_bus(store)
        monkeypatch.setattr(cache_admin, "store", store)
        monkeypatch.setattr(cache_admin, "cache_bus", lambda: bus)
        yield


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.usefixtures("page_store")
def test_the_page_adds_up_what_processes_say(
    platform: Platform, admin: Client, valkey: ValkeyServer
) -> None:
    with platform.webs(REDIS_URL=valkey.url) as (web,):
        web.wait_live()
        replies = [web.ask("GET", MAP) for _ in range(5)]
        assert [reply.came_from for reply in replies] == ["miss", *["l1"] * 4]
        wait_until(lambda: "min_p=0.03" in shown(admin))
        text = shown(admin)
    row = re.search(r"risk-map</th>(.*?)</tr>", text)
    assert row is not None
    assert re.findall(r"<td>(\d+)", row[1])[0] == "4"
    assert "Stampedes prevented" in text
    said = admin.post(CLEAR, follow=True).content.decode()
    assert "All kept answers are forgotten." in said


def shown(client: Client) -> str:
    return client.get(PAGE).content.decode().replace("&amp;", "&")


@pytest.mark.django_db
def test_without_redis_it_says_so(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    circuit = Circuit()
    for _ in range(5):
        circuit.failed()
    monkeypatch.setattr(
        cache_admin, "store", SharedStore(redis_client, circuit=circuit)
    )
    assert "Every request is answered by its view meanwhile." in shown(admin)


@pytest.mark.django_db
def test_staff_without_rights_see_nothing() -> None:
    client = clerk_client()
    assert client.get(PAGE).status_code == 403


@pytest.mark.django_db
def test_who_may_see_need_not_be_one_who_may_clear() -> None:
    client = clerk_client("view_edgecachestatus")
    assert client.get(PAGE).status_code == 200
    assert "Forget all kept answers" not in shown(client)
    said = client.post(CLEAR, follow=True).content.decode()
    assert "You may not clear it." in said
    assert client.get(CLEAR).status_code == 405
