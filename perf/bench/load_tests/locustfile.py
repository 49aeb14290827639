"""Users of a load test. Locust runs this file in an environment of its own.

`LOAD_TEST_PLAN` names a JSON file with the stages, the shares of each kind of request
and the requests themselves. A request of the kind `new` has a number put into its body,
so that it was never sent before; one of the kind `events` has new ids and times.
"""

import itertools
import json
import os
import random
import time
from pathlib import Path
from typing import Any

from locust import LoadTestShape, constant_throughput, task
from locust.contrib.fasthttp import FastHttpUser

PLAN: dict[str, Any] = json.loads(
    Path(os.environ["LOAD_TEST_PLAN"]).read_text(encoding="utf-8")
)
KINDS = list(PLAN["shares"])
SHARES = list(PLAN["shares"].values())
STARTED = f"{time.time_ns():x}"
NUMBERS = itertools.count()
DRAW = random.Random(1)  # noqa: S311 - draws requests, not secrets
# No failures, where the answer says when to come again.
REFUSED = (429, 503)


def body_of(request: dict[str, Any]) -> bytes | None:
    if request["body"] is None:
        return None
    number = next(NUMBERS)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    body: str = request["body"]
    body = body.replace("@NUMBER@", str(number)).replace("@NOW@", now)
    body = body.replace("@QUANTILE@", f"{0.5 + number % 490_000 / 1e6:.6f}")
    return body.replace("@RUN@", STARTED).encode()


class Ramp(LoadTestShape):  # type: ignore[misc]  # not installed here
    def tick(self) -> tuple[int, float] | None:
        passed_s = self.get_run_time()
        for stage in PLAN["stages"]:
            passed_s -= stage["seconds"]
            if passed_s < 0:
                return stage["users"], max(10.0, stage["users"] / 10)
        return None


class Caller(FastHttpUser):  # type: ignore[misc]  # not installed here
    """Sends a little more than one request a second, if answers come in time."""

    wait_time = constant_throughput(PLAN["requests_per_s"])
    connection_timeout = network_timeout = 60.0

    @task  # type: ignore[untyped-decorator]  # not installed here
    def send(self) -> None:
        (kind,) = DRAW.choices(KINDS, SHARES)
        request = DRAW.choice(PLAN["requests"][kind])
        with self.client.request(
            request["method"],
            request["path"],
            data=body_of(request),
            headers=request["headers"],
            name=request["name"],
            catch_response=True,
        ) as response:
            if response.status_code in REFUSED and "Retry-After" in response.headers:
                response.request_meta["name"] = f"refused with {response.status_code}"
                response.success()
            elif response.status_code not in (200, 202):
                response.failure(f"status {response.status_code}")
            elif request["holds"].encode() not in (response.content or b""):
                response.failure(f"the answer does not hold {request['holds']!r}")
