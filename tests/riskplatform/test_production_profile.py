"""The production profile starts only with its secrets, and is clean to Django."""

import os
import subprocess
import sys

COMPLETE = {
    "RISKPLATFORM_PROFILE": "production",
    "SECRET_KEY": "long-and-random-k7mQ2vX9pL4zR8tW1nB6cY3dF5gH0jS7aE2uI9oP4xZ8qV1",
    "ALLOWED_HOSTS": "risk.example",
    "DATABASE_URL": "postgresql://risk@db.example/risk",
    "REDIS_URL": "redis://cache.example:6379/0",
    "CLICKHOUSE_URL": "clickhouse://risk@ch.example/risk",
}


def check(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "RISKPLATFORM_VAR")}
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_deployment_check_is_clean() -> None:
    done = check(COMPLETE)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_secret_must_be_set() -> None:
    required = set(COMPLETE) - {"RISKPLATFORM_PROFILE", "ALLOWED_HOSTS"}
    for name in sorted(required):
        done = check({key: COMPLETE[key] for key in COMPLETE if key != name})
        assert done.returncode != 0
        assert f"{name} is not set" in done.stderr
