"""A client that guesses passwords has to wait, and no other does."""

import http.client
import time
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event
from urllib.parse import urlencode

import pytest

from tests.support.webs import Platform, Web

TOKEN = "a" * 32
LIMIT = 10
PASSWORD = "correct horse battery"
PAGES = ("/admin/login/", "/login/")


@pytest.fixture(scope="module")
def accounts(platform: Platform) -> list[str]:
    """Make members of staff, one for each test that logs in."""
    names = ["guessed", "reached", "unlucky"]
    platform.manage(
        "shell",
        "-c",
        "from django.contrib.auth.models import User\n"
        f"for name in {names}:\n"
        f"    User.objects.create_superuser(name, password={PASSWORD!r})",
    )
    return names


def log_in(
    web: Web, address: str, name: str, password: str, *, page: str = "/admin/login/"
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(
        "127.0.0.1", web.port, timeout=30, source_address=(address, 0)
    )
    with closing(connection):
        form = {"username": name, "password": password, "csrfmiddlewaretoken": TOKEN}
        headers = {
            "Host": "localhost",
            "Cookie": f"csrftoken={TOKEN}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection.request("POST", page, urlencode(form), headers)
        response = connection.getresponse()
        response.read()
        return response


@pytest.fixture
def flood(web: Web) -> Generator[Counter[int]]:
    """Have six threads guess, from addresses that change before they are locked out."""
    ended, statuses = Event(), Counter[int]()

    def guess(number: int) -> None:
        n_guesses = 0
        while not ended.is_set():
            address = f"127.0.{number + 10}.{n_guesses // (LIMIT - 1) % 250 + 1}"
            name = f"nobody-{number}-{n_guesses}"
            page = PAGES[n_guesses % 2]
            statuses[log_in(web, address, name, "wrong", page=page).status] += 1
            n_guesses += 1

    with ThreadPoolExecutor(6) as threads:
        guessing = [threads.submit(guess, number) for number in range(6)]
        yield statuses
        ended.set()
        for one in guessing:
            one.result(60)


def test_a_login_flood_leaves_reads_served(web: Web, flood: Counter[int]) -> None:
    statuses: Counter[int] = Counter()
    until_s = time.monotonic() + 30
    # Reads are quick: they go on until some guesses were answered meanwhile.
    while statuses.total() < 33 or (not flood[200] and time.monotonic() < until_s):
        statuses[web.ask("GET", "regions").status] += 1
    assert statuses.keys() == {200}
    assert flood[200]


def test_an_address_that_fails_too_often_has_to_wait(
    web: Web, accounts: list[str]
) -> None:
    address = "127.0.9.1"
    statuses = [
        log_in(web, address, f"anybody-{number}", "wrong").status
        for number in range(LIMIT)
    ]
    assert statuses[: LIMIT - 1] == [200] * (LIMIT - 1)
    refused = log_in(web, address, accounts[1], PASSWORD)
    assert refused.status == 429
    assert log_in(web, address, accounts[1], PASSWORD, page="/login/").status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    assert log_in(web, "127.0.9.2", accounts[1], PASSWORD).status == 302


def test_an_account_that_is_guessed_from_many_addresses_has_to_wait(
    web: Web, accounts: list[str]
) -> None:
    for number in range(LIMIT):
        log_in(web, f"127.0.8.{number + 1}", accounts[0], "wrong")
    assert log_in(web, "127.0.8.99", accounts[0], PASSWORD).status == 429
    assert log_in(web, "127.0.8.99", accounts[2], PASSWORD).status == 302
