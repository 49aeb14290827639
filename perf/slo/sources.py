"""Where measurements come from: a Prometheus, or the file of a run."""

import json
import math
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from perf.slo.indicators import Growth, Sample, growth
from riskplatform.kernel.errors import InvalidInputError, UnavailableError

TIMEOUT_S: Final = 30.0
LONGEST_REASON: Final = 300


class Prometheus:
    """The HTTP interface of a Prometheus at an address such as http://127.0.0.1:9090."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidInputError(
                f"{url!r} is no address of a Prometheus. Write http://host:9090."
            )
        self._url = url.rstrip("/")

    def query(self, expr: str) -> list[tuple[Mapping[str, str], float]]:
        """Evaluate PromQL now; gives labels and numbers, without those that are none.

        Raises
        ------
        UnavailableError
            It does not answer, or answers with an error.
        """
        answer = self._ask(expr)
        if not isinstance(answer, dict) or answer.get("status") != "success":
            raise UnavailableError(f"{self._url} is no Prometheus: {answer!s:.100}")
        found = answer["data"]["result"]
        rows = [(each["metric"], float(each["value"][1])) for each in found]
        return [(labels, value) for labels, value in rows if math.isfinite(value)]

    def _ask(self, expr: str) -> Any:
        body = urllib.parse.urlencode({"query": expr}).encode()
        # The scheme has been checked.
        request = urllib.request.Request(f"{self._url}/api/v1/query", body)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
                return json.load(response)
        except urllib.error.HTTPError as error:
            reason = error.read(LONGEST_REASON).decode(errors="replace")
            raise UnavailableError(
                f"{self._url} answered {error.code} to {expr}: {reason}"
            ) from error
        except (OSError, ValueError) as error:
            raise UnavailableError(f"{self._url} does not answer: {error}.") from error


def read_run(file: Path) -> Growth:
    """Read how counters grew during a run.

    The file is JSON and has `metrics` with `begun` and `ended`: what `/metrics` said
    before the run and after it.

    Raises
    ------
    InvalidInputError
        It is not such a file.
    """
    try:
        metrics = json.loads(file.read_text(encoding="utf-8"))["metrics"]
        return growth(_samples(metrics["begun"]), _samples(metrics["ended"]))
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInputError(
            f"{file} is not the file of a run: JSON with metrics.begun and "
            f"metrics.ended, each what /metrics said ({type(error).__name__}: {error})."
        ) from error


def _samples(text: str) -> Iterator[tuple[Sample, float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield (sample.name, sample.labels), sample.value
