"""People who are signed in: who they are is asked each time, and nothing is written."""

from collections.abc import Generator

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from pytest_django.fixtures import Settings

from perf.cache.edge.app import EdgeCache
from perf.cache.edge.assembly import build_edge_cache
from perf.cache.edge.routes import read_routes
from riskplatform.api.keys.models import Membership, Organisation
from scoring.models import Region
from tests.support.edge_harness import LOCAL_BYTES, Reply, ask, running_feed
from tests.support.factories import make_organisation, make_portfolio

pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "clickhouse"]
)
MAP = "region=chicago&horizon_sec=86400"
DASHBOARD = "timeframe=24h&time=2024-01-01T12:00:00Z"


@pytest.fixture
def edge(transactional_db: None) -> Generator[EdgeCache]:
    with running_feed() as feed:
        yield build_edge_cache(
            WSGIHandler(), feed=feed, routes=read_routes(), local_bytes=LOCAL_BYTES
        )


def cookie_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


def member(name: str, organisation: Organisation) -> User:
    user = User.objects.create_user(name)
    Membership.objects.create(user=user, organisation=organisation)
    return user


def look(edge: EdgeCache, address: str, query: str, cookie: str) -> Reply:
    return ask(edge, f"/api/v1/{address}", query=query, HTTP_COOKIE=cookie)


@pytest.mark.usefixtures("published_forecast")
@pytest.mark.parametrize("cookie", ["sessionid=unknown", "sessionid=", "a=b"])
def test_a_session_that_is_none_is_nobody(edge: EdgeCache, cookie: str) -> None:
    ask(edge, "/api/v1/risk-map", query=MAP)
    reply = look(edge, "risk-map", MAP, cookie)
    assert (reply.status, reply.came_from) == (200, "l1")


def test_members_of_one_organisation_share_and_others_get_nothing(
    edge: EdgeCache, published_forecast: Region
) -> None:
    acme, other = make_organisation("acme"), make_organisation("other")
    address = f"dashboard/{make_portfolio(acme, n_assets=2).pk}"
    one, two = (cookie_of(member(name, acme)) for name in ("one", "two"))
    stranger = cookie_of(member("stranger", other))
    assert look(edge, address, DASHBOARD, one).came_from == "miss"
    assert look(edge, address, DASHBOARD, two).came_from == "l1"
    assert look(edge, address, DASHBOARD, stranger).status == 404


def test_who_is_no_member_any_more_gets_nothing_kept(
    edge: EdgeCache, published_forecast: Region
) -> None:
    acme = make_organisation("acme")
    address = f"dashboard/{make_portfolio(acme, n_assets=2).pk}"
    user = member("one", acme)
    cookie = cookie_of(user)
    assert look(edge, address, DASHBOARD, cookie).status == 200
    Membership.objects.filter(user=user).delete()
    assert look(edge, address, DASHBOARD, cookie).status == 403
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert look(edge, address, DASHBOARD, cookie).status in {401, 403}


def test_a_member_who_moves_while_being_answered_moves_nothing_along(
    edge: EdgeCache,
    published_forecast: Region,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acme, other = make_organisation("acme"), make_organisation("other")
    address = f"dashboard/{make_portfolio(other, n_assets=2).pk}"
    mover, stays = member("mover", acme), member("stays", acme)
    inner = edge._computing._app

    def move_first(environ: object, start: object) -> object:
        Membership.objects.filter(user=mover).update(organisation=other)
        return inner(environ, start)

    cookies = [cookie_of(user) for user in (mover, stays)]
    monkeypatch.setattr(edge._computing, "_app", move_first)
    assert look(edge, address, DASHBOARD, cookies[0]).status == 200
    monkeypatch.setattr(edge._computing, "_app", inner)
    assert look(edge, address, DASHBOARD, cookies[1]).status == 404


@pytest.mark.usefixtures("published_forecast")
def test_a_session_signed_with_a_former_key_is_left_to_django(
    edge: EdgeCache, settings: Settings
) -> None:
    cookie = cookie_of(User.objects.create_user("one"))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next one"
    reply = look(edge, "risk-map", MAP, cookie)
    assert (reply.status, reply.came_from) == (200, "bypass")
    # Django has renewed the session and told the browser so.
    assert "sessionid=" in reply.headers["Set-Cookie"]
    assert Session.objects.count() == 1
