"""The command says what is left of each budget, and fails where one is broken."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from riskplatform.embedded.ports import free_port


def exposition(*, answered: int, failed: int, within: int, count: int) -> str:
    """Write what /metrics says of assess, with times of computed responses."""
    times = 'perf_request_seconds{}{{{}route="assess",served="computed"}} {}'
    return "\n".join(
        [
            "# TYPE perf_requests_total counter",
            f'perf_requests_total{{route="assess",outcome="answered"}} {answered}',
            f'perf_requests_total{{route="assess",outcome="failed"}} {failed}',
            "# TYPE perf_request_seconds histogram",
            *(
                times.format("_bucket", f'le="{bound}",', within)
                for bound in ("0.02", "0.08", "0.15")
            ),
            times.format("_bucket", 'le="+Inf",', count),
            times.format("_count", "", count),
            "",
        ]
    )


def run_file(tmp_path: Path, **ended: int) -> Path:
    begun = exposition(answered=100, failed=50, within=0, count=100)
    file = tmp_path / "run.json"
    metrics = {"begun": begun, "ended": exposition(**ended)}
    file.write_text(json.dumps({"metrics": metrics}))
    return file


def check(*options: str) -> str:
    said = StringIO()
    call_command("check_slo", *options, stdout=said, no_color=True)
    return said.getvalue()


def verdicts(text: str) -> dict[str, Any]:
    return {each["objective"]: each for each in json.loads(text)["verdicts"]}


def test_a_run_within_all_budgets_is_fine(tmp_path: Path) -> None:
    file = run_file(tmp_path, answered=4_099, failed=51, within=3_990, count=4_100)
    said = verdicts(check("--from-run", str(file), "--json"))
    errors = said["assess-and-features-errors"]
    assert errors["labels"] == {"route": "assess"}
    assert errors["bad_ratio"] == 1 / 4_000
    assert errors["budget_left"] == pytest.approx(0.5)
    assert said["computed-latency-p99"]["bad_ratio"] == pytest.approx(10 / 4_000)
    assert said["computed-latency-p99"]["state"] == "met"
    # What the run says nothing of is neither met nor broken.
    assert said["calibration"]["state"] == said["cache-hits"]["state"] == "no data"


def test_a_broken_objective_fails_the_command_and_is_named(tmp_path: Path) -> None:
    file = run_file(tmp_path, answered=1_090, failed=60, within=940, count=1_100)
    with pytest.raises(CommandError) as caught:
        check("--from-run", str(file))
    assert str(caught.value) == (
        "Broken: assess-and-features-errors, availability, computed-latency-p95, "
        "computed-latency-p99, request-errors."
    )
    kept = check("--from-run", str(file), "--only", "computed-latency-p50")
    assert kept == (
        "met     computed-latency-p50 route=assess: 6 % bad of 50 %, 88 % of the "
        "budget left\n"
    )


def test_that_nothing_was_measured_is_no_success(tmp_path: Path) -> None:
    file = run_file(tmp_path, answered=100, failed=50, within=0, count=100)
    with pytest.raises(CommandError, match="Nothing was measured"):
        check("--from-run", str(file))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"metrics": 1}', '{"metrics": {"begun": "}{", "ended": 1}}'],
)
def test_another_file_is_refused_with_what_it_should_be(
    text: str, tmp_path: Path
) -> None:
    file = tmp_path / "other.json"
    file.write_text(text)
    with pytest.raises(CommandError, match=r"metrics\.begun"):
        check("--from-run", str(file))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        check("--from-run", str(tmp_path / "none.json"))


@pytest.mark.parametrize("url", ["127.0.0.1:9090", "file:///etc/passwd", "http://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(CommandError, match="no address of a Prometheus"):
        check("--prometheus", url)


def test_a_prometheus_that_is_not_there_is_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CommandError, match="does not answer"):
        check("--prometheus", url)


@pytest.mark.parametrize("window", ["1x", "0d", "30", "1h] or vector(1)"])
def test_a_window_is_a_duration(window: str) -> None:
    with pytest.raises(CommandError, match="--window"):
        check("--prometheus", "http://127.0.0.1:1", "--window", window)


def test_an_objective_that_is_unknown_is_named(tmp_path: Path) -> None:
    file = run_file(tmp_path, answered=101, failed=50, within=0, count=100)
    with pytest.raises(CommandError, match=r"no objective speed\. Known: "):
        check("--from-run", str(file), "--only", "speed")
