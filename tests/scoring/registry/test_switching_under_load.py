"""Readers get an answer at any moment, from one champion or the other."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from django.db import connection
from django.test import Client

from scoring.models import ModelSwitch
from scoring.services.registry.promotion import make_champion
from tests.scoring.registry.versions import day, make_rivals, make_run
from tests.support.factories import make_region
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.databases]


Answer = tuple[int, str]


def is_last(answers: list[Answer], wanted: Answer) -> bool:
    return answers[-1:] == [wanted]


@contextmanager
def asking(address: str, answers: list[Answer]) -> Iterator[None]:
    """Ask again and again from a thread of its own."""
    done = threading.Event()

    def ask() -> None:
        client = Client()
        while not done.is_set():
            response = client.get(address)
            answers.append((response.status_code, response.json()["model_version"]))
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_no_request_fails_while_champions_change() -> None:
    region = make_region(rings=0)
    old, new = make_rivals(region)
    for version in (old, new):
        make_run(version, day(1))
    answers: list[Answer] = []
    with asking("/api/v1/risk-map?region=chicago", answers):
        for _ in range(10):
            for version in (new, old):
                make_champion(version, reason=ModelSwitch.Reason.RELOAD, actor="test")
                wait_until(
                    partial(is_last, answers, (200, str(version))),
                    within_s=20,
                    what=f"{version} in service",
                )
    assert {status for status, _ in answers} == {200}
    assert {name for _, name in answers} == {str(old), str(new)}
