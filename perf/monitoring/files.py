"""All generated files: where each is, and what has to be in it."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from perf.monitoring import openslo, pages, prometheus, rules
from perf.monitoring.described import all_dashboards

FOLDER: Final = Path("deploy/monitoring")
RUNBOOKS: Final = Path(rules.RUNBOOKS)
HEADER: Final = "# Written by `manage.py export_monitoring`; do not edit.\n"
# Where a file that nothing generates any more is a mistake.
OWNED: Final = ((RUNBOOKS, "*.md"), (FOLDER, "**/*.yml"), (FOLDER, "**/*.json"))


def generated_files() -> dict[Path, str]:
    """Give the text of each file, by its path in the checkout.

    Raises
    ------
    ImportError
        The package that builds dashboards is not installed.
    """
    return dict(_texts())


def outdated(root: Path, wanted: Mapping[Path, str]) -> list[str]:
    """Name the files that differ, are missing, or belong to nothing any more."""
    different = [
        f"{path} {'differs' if (root / path).exists() else 'is missing'}"
        for path, text in wanted.items()
        if _read(root / path) != text
    ]
    stray = [f"{path} belongs to nothing" for path in _stray(root, wanted)]
    return sorted([*different, *stray])


def write(root: Path, wanted: Mapping[Path, str]) -> list[Path]:
    """Write what differs and remove what belongs to nothing; gives what changed."""
    changed = [path for path, text in wanted.items() if _read(root / path) != text]
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(wanted[path], encoding="utf-8")
    stray = list(_stray(root, wanted))
    for path in stray:
        (root / path).unlink()
    return sorted([*changed, *stray])


def _texts() -> Iterator[tuple[Path, str]]:
    # Only here, because nothing but this needs the package behind it.
    from perf.monitoring.grafana import dashboard_json  # noqa: PLC0415

    yield Path("docs/SLA.md"), pages.sla()
    yield Path("docs/metrics.md"), pages.metrics()
    for name, text in pages.runbooks().items():
        yield RUNBOOKS / f"{name}.md", text
    for name, content in (
        ("recording_rules.yml", rules.recording_rules()),
        ("alert_rules.yml", rules.alert_rules()),
        ("prometheus.yml", prometheus.prometheus()),
        ("alertmanager.yml", prometheus.alertmanager()),
        ("grafana/provisioning/datasources.yml", prometheus.grafana_sources()),
        ("grafana/provisioning/dashboards.yml", prometheus.grafana_dashboards()),
    ):
        yield FOLDER / name, _yaml([content])
    yield FOLDER / "openslo.yml", _yaml(openslo.documents())
    for dashboard in all_dashboards():
        path = FOLDER / "grafana" / "dashboards" / f"{dashboard.name}.json"
        yield path, dashboard_json(dashboard)


def _yaml(documents: Iterable[Mapping[str, Any]]) -> str:
    text = yaml.dump_all(
        list(documents),
        Dumper=_Dumper,
        sort_keys=False,
        width=96,
        allow_unicode=True,
        default_flow_style=False,
    )
    return HEADER + text


class _Dumper(yaml.SafeDumper):
    """Repeats what is there twice, and writes lines as lines."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, data: str) -> yaml.ScalarNode:
        style = "|" if "\n" in data else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)


def _stray(root: Path, wanted: Mapping[Path, str]) -> Iterator[Path]:
    for folder, pattern in OWNED:
        for file in sorted((root / folder).glob(pattern)):
            if (path := file.relative_to(root)) not in wanted:
                yield path


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None
