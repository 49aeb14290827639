"""A key lets its bearer in, while it is valid, to what its scopes allow."""

from collections.abc import Generator
from datetime import timedelta
from io import StringIO
from typing import Any, cast

import pytest
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analytics.inbox.backlog import forget_backlog
from riskplatform.api.keys.models import ApiKey, Organisation
from riskplatform.api.keys.services import issue_key, note_use, revoke_keys
from riskplatform.kernel.errors import InvalidInputError
from tests.support.factories import make_organisation

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/events/backlog"


@pytest.fixture
def acme(db: None) -> Organisation:
    return make_organisation("acme")


@pytest.fixture
def key(acme: Organisation) -> str:
    return issue_key(acme, name="feed", scopes=["events:write"]).text.text


@pytest.fixture(autouse=True)
def _fresh_backlog() -> Generator[None]:
    forget_backlog()
    yield
    forget_backlog()


def ask(**headers: str) -> HttpResponse:
    return cast("HttpResponse", Client().get(ADDRESS, headers=headers))


@pytest.mark.parametrize("form", ["Bearer", "bearer", "X-API-Key"])
def test_a_key_lets_in_in_both_headers(key: str, form: str) -> None:
    shown = (
        {"X-API-Key": key}
        if form == "X-API-Key"
        else {"Authorization": f"{form} {key}"}
    )

    assert ask(**shown).status_code == 200


def test_a_wrong_secret_and_a_wrong_prefix_are_refused_alike(key: str) -> None:
    wrong_secret = key[:-1] + ("a" if key[-1] != "a" else "b")
    wrong_prefix = f"rp_zzzzzzzz_{key.split('_', 2)[2]}"

    answers = [
        ask(**{"X-API-Key": shown}) for shown in (wrong_secret, wrong_prefix, "x", "")
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {
        'Bearer realm="api"'
    }
    details = {answer.json()["detail"] for answer in answers}  # type: ignore[attr-defined]  # of the test client
    assert details == {"The API key is not valid."}


def test_no_key_is_asked_for_one() -> None:
    response = ask()

    assert response.status_code == 401
    assert response.headers["Content-Type"] == "application/problem+json"


def test_an_expired_and_a_revoked_key_are_refused(acme: Organisation) -> None:
    past = timezone.now() - timedelta(seconds=1)
    scopes = ["events:write"]
    expired = issue_key(acme, name="a", scopes=scopes, expires_at=past)
    revoked = issue_key(acme, name="b", scopes=scopes)
    revoke_keys([revoked.key])

    answers = [ask(**{"X-API-Key": key.text.text}) for key in (expired, revoked)]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert b"expired" in answers[0].content
    assert b"was revoked" in answers[1].content


def test_a_key_without_the_scope_is_refused(acme: Organisation) -> None:
    issued = issue_key(acme, name="a", scopes=["scores:read"])

    response = ask(**{"X-API-Key": issued.text.text})

    assert response.status_code == 403
    assert b"events:write" in response.content


def test_a_key_survives_a_new_secret_key_while_the_old_one_is_a_fallback(
    key: str, settings: object
) -> None:
    old = settings.SECRET_KEY  # type: ignore[attr-defined]  # pytest-django's fixture
    settings.SECRET_KEY = "other"  # type: ignore[attr-defined]  # the same
    settings.SECRET_KEY_FALLBACKS = [old]  # type: ignore[attr-defined]  # the same
    assert ask(**{"X-API-Key": key}).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []  # type: ignore[attr-defined]  # the same
    assert ask(**{"X-API-Key": key}).status_code == 401


def test_the_secret_is_neither_stored_nor_printed(acme: Organisation) -> None:
    issued = issue_key(acme, name="a", scopes=["events:write"])
    secret = issued.text.text.split("_", 2)[2]

    row = ApiKey.objects.values().get()

    assert all(secret not in str(value) for value in row.values())
    assert secret not in f"{issued} {issued.key!r}"


def test_a_use_is_noted_once_a_minute(key: str) -> None:
    ask(**{"X-API-Key": key})
    first = ApiKey.objects.get()
    assert first.last_used_at is not None

    note_use(first, now=first.last_used_at + timedelta(seconds=59))
    assert ApiKey.objects.get().last_used_at == first.last_used_at
    later = first.last_used_at + timedelta(seconds=61)
    note_use(first, now=later)
    assert ApiKey.objects.get().last_used_at == later


@pytest.mark.parametrize("scopes", [[], ["all"]])
def test_scopes_that_are_none_are_refused(
    acme: Organisation, scopes: list[str]
) -> None:
    with pytest.raises(InvalidInputError):
        issue_key(acme, name="a", scopes=scopes)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"organisation": "acem", "create": False}, "no organisation 'acem'.*--create"),
        ({"organisation": "not a slug"}, "no slug"),
        ({"expires": "soon"}, "90d"),
    ],
)
def test_the_command_writes_nothing_where_something_is_wrong(
    change: dict[str, Any], reason: str
) -> None:
    options = {"organisation": "new", "name": "n", "scope": ["events:write"]}
    with pytest.raises(CommandError, match=reason):
        call_command("create_api_key", **{**options, "create": True, **change})
    assert not Organisation.objects.exists()


def test_the_command_prints_a_key_that_works() -> None:
    out, said = StringIO(), StringIO()
    options: dict[str, Any] = {
        "organisation": "new",
        "create": True,
        "name": "n",
        "scope": ["events:write"],
    }
    call_command("create_api_key", **options, expires="90d", stdout=out, stderr=said)

    assert ask(**{"X-API-Key": out.getvalue().strip()}).status_code == 200
    life = ApiKey.objects.get().expires_at
    assert life is not None
    assert timedelta(days=89) < life - timezone.now() < timedelta(days=91)
    with pytest.raises(CommandError, match="90d"):
        call_command("create_api_key", **options, expires="soon")


def test_staff_see_keys_without_secrets_and_can_revoke_them(
    admin: Client, key: str
) -> None:
    page = reverse("admin:keys_apikey_changelist")
    stored = ApiKey.objects.get()

    listed = admin.get(page).content.decode()
    shown = admin.get(reverse("admin:keys_apikey_change", args=[stored.pk]))
    admin.post(page, {"action": "revoke", "_selected_action": [stored.pk]})

    assert stored.prefix in listed
    for content in (listed, shown.content.decode()):
        assert stored.digest not in content
        assert key.split("_", 2)[2] not in content
    assert ask(**{"X-API-Key": key}).status_code == 401
