"""No secret of a client or an operator is in what a process writes of its work."""

import http.client
import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import pytest

from riskplatform.embedded.ports import LOOPBACK
from riskplatform.serving.processes import CHECKOUT
from tests.support.webs import Platform, Web

SECRET = "sesame-9f2c"
HEADERS = {
    "Host": "localhost",
    "Authorization": f"Bearer rp_abcdefgh_{SECRET}",
    "X-API-Key": f"rp_abcdefgh_{SECRET}",
    "Cookie": f"sessionid={SECRET}; csrftoken={SECRET}",
    "Idempotency-Key": SECRET,
    "X-CSRFToken": SECRET,
}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
REQUESTS = [
    ("GET", f"/api/v1/regions?token={SECRET}", ""),
    ("GET", f"/api/v1/nothing?token={SECRET}", ""),
    ("GET", f"/api/v1/risk-map?region=chicago&min_p={SECRET}", ""),
    ("DELETE", f"/api/v1/regions?password={SECRET}", ""),
    ("POST", f"/api/v1/webhooks?key={SECRET}", f'{{"url": "https://h/{SECRET}"}}'),
    ("POST", "/api/v1/events", f'{{"{SECRET}": "{SECRET}"'),
    ("POST", "/api/v1/score-snapshot", f'{{"region": "{SECRET}"}}'),
    ("POST", "/login/", f"username={SECRET}&password={SECRET}"),
    ("POST", "/admin/login/", f"username={SECRET}&password={SECRET}"),
]


def send(web: Web, *, with_headers: bool) -> list[int]:
    statuses = []
    for method, path, body in REQUESTS:
        kind = FORM if "login" in path else JSON
        given = HEADERS if with_headers else {"Host": "localhost"}
        connection = http.client.HTTPConnection(LOOPBACK, web.port, timeout=30)
        connection.request(method, path, body.encode(), {**given, **kind})
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
        connection.close()
    return statuses


@pytest.mark.parametrize("form", ["line", "json"])
def test_nothing_a_client_sends_in_confidence_is_logged(
    platform: Platform, form: str
) -> None:
    key = platform.keys("acme")[0]
    with platform.webs(
        REQUEST_LOG="all", SLOW_REQUEST_MS="1", LOG_LEVEL="DEBUG", LOG_FORMAT=form
    ) as [web]:
        send(web, with_headers=True)
        send(web, with_headers=False)
        assert web.ask("GET", "portfolios", key=key).status == 200
        folder = web.log.parent
    text = "".join(path.read_text() for path in folder.rglob("*.log"))
    assert text.count("riskplatform.requests") >= len(REQUESTS)
    assert SECRET not in text
    assert key.split("_", 2)[2] not in text


@pytest.mark.parametrize("variable", ["DATABASE_URL", "REDIS_URL", "CLICKHOUSE_URL"])
def test_a_server_that_refuses_its_password_costs_no_line_with_it(
    variable: str,
) -> None:
    parts = urlsplit(os.environ[variable])
    nowhere = f"someone:{SECRET}@{LOOPBACK}:1"
    env = {**os.environ, variable: urlunsplit(parts._replace(netloc=nowhere))}
    env |= {"DJANGO_SETTINGS_MODULE": "riskplatform.settings", "LOG_LEVEL": "DEBUG"}
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=CHECKOUT,
        env=env,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert SECRET not in done.stdout + done.stderr
