"""Configuration of Prometheus and Alertmanager, and of Grafana's provisioning."""

from typing import Any, Final

from perf.slo.burn_rates import PAGE, TICKET

JOB: Final = "riskplatform"
METRICS: Final = "127.0.0.1:8002"
RULE_FILES: Final = ("recording_rules.yml", "alert_rules.yml")
Config = dict[str, Any]


def prometheus() -> Config:
    """Read this machine; with METRICS_TOKEN, `authorization` has to be added."""
    return {
        "global": {"scrape_interval": "15s", "evaluation_interval": "30s"},
        "rule_files": list(RULE_FILES),
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": ["127.0.0.1:9093"]}]}]
        },
        "scrape_configs": [
            {"job_name": JOB, "static_configs": [{"targets": [METRICS]}]}
        ],
    }


def alertmanager() -> Config:
    """Give an example: pages at once, tickets twice a day."""
    return {
        "route": {
            "receiver": "tickets",
            "group_by": ["alertname", "slo"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": [
                {
                    "matchers": [f'severity="{PAGE}"'],
                    "receiver": "pages",
                    "repeat_interval": "1h",
                }
            ],
        },
        "inhibit_rules": [
            {
                "source_matchers": [f'severity="{PAGE}"'],
                "target_matchers": [f'severity="{TICKET}"'],
                "equal": ["alertname", "route", "region"],
            },
            {
                "source_matchers": ['alertname="MetricsMissing"'],
                "target_matchers": ['alertname!="MetricsMissing"'],
            },
        ],
        "receivers": [
            {
                "name": name,
                "webhook_configs": [{"url": f"http://127.0.0.1:9000/{name}"}],
            }
            for name in ("pages", "tickets")
        ],
    }


def grafana_sources() -> Config:
    return {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "Prometheus",
                "uid": "prometheus",
                "type": "prometheus",
                "access": "proxy",
                "url": "http://127.0.0.1:9090",
                "isDefault": True,
            }
        ],
    }


def grafana_dashboards() -> Config:
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": "riskplatform",
                "folder": "riskplatform",
                "type": "file",
                "allowUiUpdates": False,
                "options": {"path": "/etc/grafana/dashboards/riskplatform"},
            }
        ],
    }
