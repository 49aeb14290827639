"""What is committed for Prometheus, Grafana and people is what the code says."""

import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command, get_commands
from django.core.management.base import CommandError
from grafana_foundation_sdk.models.dashboard import Dashboard as GrafanaDashboard
from prometheus_client import REGISTRY

from perf.monitoring.described import all_dashboards
from perf.monitoring.files import generated_files
from perf.monitoring.metric_list import all_metrics, series_names
from perf.monitoring.rules import alert_names, metrics_recorded
from perf.slo.indicators import Condition, Latency
from perf.slo.objectives import all_objectives

ROOT = Path(__file__).resolve().parents[3]
MONITORING = ROOT / "deploy/monitoring"
# What Prometheus itself makes.
OF_PROMETHEUS = {"up"}
METRIC = re.compile(
    r"\b((?:perf|scoring|analytics|django|riskplatform)_\w+|slo:[\w:]+)"
)


def exported(*options: str) -> str:
    said = StringIO()
    call_command("export_monitoring", *options, stdout=said)
    return said.getvalue()


def expressions() -> Iterator[tuple[str, str]]:
    """Give each query in rules and dashboards, with where it is from."""
    for file in ("recording_rules.yml", "alert_rules.yml"):
        for group in yaml.safe_load((MONITORING / file).read_text())["groups"]:
            for rule in group["rules"]:
                yield rule.get("record") or rule["alert"], rule["expr"]
    for dashboard in all_dashboards():
        for panel in dashboard.panels:
            for query in panel.queries:
                yield f"{dashboard.name}/{panel.title}", query.expr


def test_the_committed_files_are_what_the_code_says() -> None:
    assert exported("--check").startswith("All ")


def test_a_file_that_was_changed_by_hand_is_named(tmp_path: Path) -> None:
    exported("--into", str(tmp_path))
    assert "0 of" in exported("--into", str(tmp_path))
    (tmp_path / "docs/SLA.md").write_text("We promise nothing.\n")
    (tmp_path / "docs/runbooks/JobsFailing.md").unlink()
    (tmp_path / "docs/runbooks/Forgotten.md").write_text("# Forgotten\n")
    with pytest.raises(CommandError) as caught:
        exported("--check", "--into", str(tmp_path))
    assert str(caught.value).splitlines()[:3] == [
        "docs/SLA.md differs",
        "docs/runbooks/Forgotten.md belongs to nothing",
        "docs/runbooks/JobsFailing.md is missing",
    ]
    assert "docs/SLA.md\n" in exported("--into", str(tmp_path))
    assert not (tmp_path / "docs/runbooks/Forgotten.md").exists()


def test_every_query_is_about_metrics_that_exist() -> None:
    known = series_names() | metrics_recorded() | OF_PROMETHEUS
    unknown = {
        f"{where}: {name}"
        for where, expr in expressions()
        for name in METRIC.findall(expr)
        if name not in known
    }
    assert unknown == set()
    assert len(list(expressions())) > 200


def test_every_alert_has_a_runbook_whose_commands_exist() -> None:
    known = set(get_commands())
    pages = {path.stem: path.read_text() for path in (ROOT / "docs/runbooks").iterdir()}
    assert pages.keys() == set(alert_names())
    for page in pages.values():
        assert len(page.split("```")[1].strip().splitlines()) == 3
        assert set(re.findall(r"manage\.py (\w+)", page)) <= known


def test_every_metric_has_a_meaning_and_is_listed() -> None:
    page = (ROOT / "docs/metrics.md").read_text()
    for facts in all_metrics():
        assert facts.meaning
        assert f"| `{facts.shown_name}` | {facts.kind} |" in page


def test_no_label_is_the_name_of_somebody_or_the_number_of_something() -> None:
    labels = {label for facts in all_metrics() for label in facts.labels}
    assert labels.isdisjoint(
        {"organisation", "tenant", "key", "user", "cell", "portfolio", "path", "id"}
    )


def test_a_time_that_is_promised_is_a_bucket_of_its_histogram() -> None:
    histograms = {
        name: collector
        for collector, names in REGISTRY._collector_to_names.items()
        for name in names
    }
    for objective in all_objectives():
        indicator = objective.indicator
        if isinstance(indicator, Latency):
            bounds = histograms[indicator.histogram]._upper_bounds  # type: ignore[attr-defined]  # private
            assert indicator.at_most_s in bounds, objective.name


def test_a_gauge_has_the_labels_that_an_objective_names() -> None:
    labels = {facts.name: facts.labels for facts in all_metrics()}
    for objective in all_objectives():
        indicator = objective.indicator
        if isinstance(indicator, Condition):
            assert indicator.by == labels[indicator.gauge]


@pytest.mark.parametrize(
    "file", sorted(path.name for path in MONITORING.rglob("dashboards/*.json"))
)
def test_a_dashboard_is_one_by_grafanas_own_types(file: str) -> None:
    written = json.loads((MONITORING / "grafana/dashboards" / file).read_text())
    read = GrafanaDashboard.from_json(written)
    assert read.uid == f"riskplatform-{file.removesuffix('.json')}"
    panels = read.panels or []
    assert panels
    ids = [target["refId"] for each in written["panels"] for target in each["targets"]]
    assert len(ids) >= len(panels)


def test_openslo_has_every_objective() -> None:
    documents = list(yaml.safe_load_all((MONITORING / "openslo.yml").read_text()))
    names = [each["metadata"]["name"] for each in documents if each["kind"] == "SLO"]
    assert names == [objective.name for objective in all_objectives()]


def test_no_name_is_written_twice() -> None:
    assert len(set(alert_names())) == len(list(alert_names()))
    assert len(generated_files()) > 40
