"""Reads come from a replica, unless somebody has just written."""

from collections.abc import Generator

import psycopg
import pytest
from django.contrib.sessions.models import Session
from django.db import connections, router, transaction
from django.utils.timezone import now
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from perf.connections import replicas
from perf.connections.replicas import PRIMARY, REPLICA, note_write, pin, primary_only
from riskplatform.kernel.changes import publish_changes
from tests.support.postgresql_aliases import URL, alias_to, needs_postgresql, server

pytestmark = [
    needs_postgresql,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def replica(settings: Settings, django_db_blocker: DjangoDbBlocker) -> Generator[None]:
    """Put another database beside the primary, with other data in it."""
    with server() as owner:
        owner.execute("DROP DATABASE IF EXISTS probe_replica WITH (FORCE)")
        owner.execute("CREATE DATABASE probe_replica")
    place = psycopg.conninfo.conninfo_to_dict(URL) | {"dbname": "probe_replica"}
    url = "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**place)
    with django_db_blocker.unblock(), alias_to(url, name=REPLICA) as connection:
        with connection.schema_editor() as editor:
            editor.create_model(Session)
        for name in (REPLICA, PRIMARY):
            Session.objects.using(name).create(
                session_key=name, session_data=f"on {name}", expire_date=now()
            )
        settings.DATABASE_REPLICA_APPS = frozenset({"sessions"})
        pin.clear()
        yield
        pin.clear()
    with server() as owner:
        owner.execute("DROP DATABASE probe_replica WITH (FORCE)")


def read() -> str:
    return Session.objects.get().session_data


def test_a_read_goes_to_the_replica(replica: None) -> None:
    assert read() == "on replica"


def test_who_may_do_what_is_read_from_the_primary(
    replica: None, settings: Settings
) -> None:
    settings.DATABASE_REPLICA_APPS = frozenset({"scoring"})

    assert read() == "on default"


def test_without_a_replica_nothing_changes() -> None:
    assert router.db_for_read(Session) == PRIMARY
    assert replicas.ReplicaRouter().db_for_read(Session) is None
    assert replicas.ReplicaRouter().db_for_write(Session) is None


@pytest.mark.parametrize("lag_s", [60, 0])
def test_after_a_write_the_primary_is_read_for_as_long_as_a_replica_may_lag(
    replica: None, settings: Settings, lag_s: int
) -> None:
    settings.DATABASE_REPLICA_LAG_S = lag_s
    Session.objects.filter(session_key=PRIMARY).update(session_data="written")

    assert read() == ("written" if lag_s else "on replica")


def test_a_long_transaction_pins_again_when_it_ends(replica: None) -> None:
    with transaction.atomic():
        Session.objects.filter(session_key=PRIMARY).update(session_data="written")
        # As if the transaction had lasted longer than the replica lags.
        pin.clear()
        assert read() == "written"

    assert read() == "written"


def test_inside_a_transaction_and_for_update_the_primary_is_read(
    replica: None,
) -> None:
    with transaction.atomic():
        assert read() == "on default"
        assert Session.objects.select_for_update().get().session_key == PRIMARY


@pytest.mark.parametrize("hear", ["bus", "announcement"])
def test_what_is_heard_of_pins_too(replica: None, hear: str) -> None:
    if hear == "bus":
        note_write()
    else:
        replicas.listen_for_writes()
        publish_changes("portfolio:1")

    assert read() == "on default"


def test_what_was_read_from_the_replica_is_written_to_the_primary(
    replica: None,
) -> None:
    session = Session.objects.get()
    assert session._state.db == REPLICA
    primary = Session.objects.using(PRIMARY).get()
    assert router.allow_relation(session, primary)

    session.session_key = PRIMARY
    session.save()

    primary.refresh_from_db()
    assert primary.session_data == "on replica"


def test_a_replica_is_never_migrated(replica: None) -> None:
    assert not router.allow_migrate_model(REPLICA, Session)
    assert router.allow_migrate_model(PRIMARY, Session)
    assert REPLICA in connections


def test_what_will_be_kept_for_others_is_read_from_the_primary(replica: None) -> None:
    with primary_only():
        assert read() == "on default"
    assert read() == "on replica"
