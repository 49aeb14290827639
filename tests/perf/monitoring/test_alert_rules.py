"""Every alert fires in its fault and is silent in health, by Prometheus's own tool."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from perf.monitoring.described import PAGE, TICKET, all_alerts
from perf.slo.objectives import all_objectives
from tests.perf.monitoring.rule_tests import (
    Group,
    InputSeries,
    budget_group,
    budget_groups,
    cause_groups,
    counter,
    gauge,
)

PROMTOOL = shutil.which("promtool")
pytestmark = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed (make setup-extras)"
)
MONITORING = Path(__file__).resolve().parents[3] / "deploy/monitoring"
RULES = ("recording_rules.yml", "alert_rules.yml")
UP = gauge("up", {"job": "riskplatform"}, 1)
FIT = {"kind": "fit-model", "state": "failed"}
POSTGRESQL = {"server": "postgresql"}


def runs(*processes: str) -> InputSeries:
    running = [
        gauge("riskplatform_processes", {"process": name}, 1) for name in processes
    ]
    return [UP, *running]


# For each alert: what is when it is wrong, when it is well, and the labels it shows.
CAUSES: dict[str, tuple[InputSeries, InputSeries, dict[str, str]]] = {
    "MetricsMissing": (
        [gauge("up", {"job": "riskplatform"}, 0)],
        [UP],
        {"job": "riskplatform"},
    ),
    "WebMissing": (
        runs("worker"),
        runs("web", "worker"),
        {"process": "web"},
    ),
    "WorkerMissing": (runs("web"), runs("web", "worker"), {"process": "worker"}),
    "RealtimeMissing": (runs("web"), runs("realtime"), {"process": "realtime"}),
    "JobsFailing": (
        # One job failed, 20 minutes ago, and none had before.
        [{**counter("perf_jobs_finished_total", FIT, 0), "values": "_x60 1x40"}],
        [counter("perf_jobs_finished_total", FIT, 0)],
        {"kind": "fit-model"},
    ),
    "RedisLeftAlone": (
        [gauge("perf_store_circuit_open", {}, 1)],
        [gauge("perf_store_circuit_open", {}, 0)],
        {},
    ),
    "ConnectionsExhausted": (
        [counter("perf_connections_exhausted_total", POSTGRESQL, 1)],
        [counter("perf_connections_exhausted_total", POSTGRESQL, 0)],
        POSTGRESQL,
    ),
    "EventsParked": (
        [gauge("analytics_inbox_parked_events", {}, 3)],
        [gauge("analytics_inbox_parked_events", {}, 0)],
        {},
    ),
    "RollupsLag": (
        [gauge("analytics_rollup_stale_partitions", {}, 1)],
        [gauge("analytics_rollup_stale_partitions", {}, 0)],
        {},
    ),
}


def promtool(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [PROMTOOL or "promtool", *words], check=False, capture_output=True, text=True
    )


def rules_about(alert: str) -> dict[str, Any]:
    """Take from the committed rules one alert, and the rules that it reads."""
    recorded, alerts = (
        yaml.safe_load((MONITORING / name).read_text())["groups"] for name in RULES
    )
    chosen = [
        rule for group in alerts for rule in group["rules"] if rule["alert"] == alert
    ]
    text = " ".join(rule["expr"] for rule in chosen)
    groups = [
        group
        for group in recorded
        if f'slo="{group["rules"][0]["labels"]["slo"]}"' in text
    ]
    return {"groups": [*groups, {"name": "alerts", "rules": chosen}]}


def failures(alert: str, groups: list[Group], folder: Path) -> str:
    """Run tests of an alert; gives what promtool says of those that failed."""
    (folder / "rules.yml").write_text(yaml.safe_dump(rules_about(alert)))
    content: dict[str, Any] = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": groups,
    }
    (folder / "tests.yml").write_text(yaml.safe_dump(content, sort_keys=False))
    done = promtool("test", "rules", folder / "tests.yml")
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_prometheus_takes_the_rules_and_the_configuration() -> None:
    rules = [MONITORING / name for name in RULES]
    for done in (
        promtool("check", "rules", *rules),
        promtool("check", "config", MONITORING / "prometheus.yml"),
    ):
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "objective", all_objectives(), ids=lambda objective: objective.name
)
def test_a_budget_that_burns_fires_and_one_that_lasts_does_not(
    objective: Any, tmp_path: Path
) -> None:
    groups = list(budget_groups(objective))
    assert failures(objective.alert, groups, tmp_path) == ""


def test_an_error_every_fiftieth_request_pages_within_minutes_and_names_the_route(
    tmp_path: Path,
) -> None:
    [objective] = [each for each in all_objectives() if each.name == "request-errors"]
    group = budget_group(objective, 1 / 50, (PAGE, TICKET), minutes=5)
    [expected] = group["alert_rule_test"]
    assert expected["exp_alerts"][0]["exp_labels"]["route"]
    assert failures(objective.alert, [group], tmp_path) == ""


def test_every_other_alert_has_its_fault_here() -> None:
    assert CAUSES.keys() == {alert.name for alert in all_alerts()}


@pytest.mark.parametrize("alert", all_alerts(), ids=lambda alert: alert.name)
def test_a_cause_fires_and_its_absence_does_not(alert: Any, tmp_path: Path) -> None:
    fault, health, labels = CAUSES[alert.name]
    groups = list(cause_groups(alert, fault=fault, health=health, labels=labels))
    assert failures(alert.name, groups, tmp_path) == ""


def test_a_rule_test_can_fail(tmp_path: Path) -> None:
    alert = next(each for each in all_alerts() if each.name == "EventsParked")
    fault, health, labels = CAUSES[alert.name]
    swapped = list(cause_groups(alert, fault=health, health=fault, labels=labels))
    assert failures(alert.name, swapped, tmp_path).count("FAILED") >= 1
