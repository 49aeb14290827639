"""Alerts of the platform itself that no objective covers in time."""

from typing import Final

from perf.monitoring.described import PAGE, TICKET, Alert
from perf.slo.objectives import METRICS, Runbook

RESTART: Final = (
    "`manage.py up` starts again what ends; the end of its log says why it did not "
    "come back. Where another supervisor runs the processes, restart it there."
)


def _missing(process: str, severity: str, effect: str) -> Alert:
    name = f"{process.capitalize()}Missing"
    return Alert(
        name=name,
        expr=(
            f'absent(riskplatform_processes{{process="{process}"}})'
            ' and on () up{job="riskplatform"} == 1'
        ),
        lasts="2m",
        severity=severity,
        summary=f"No {process} process runs",
        runbook=Runbook(
            f"The metrics are served, and no {process} process counts. {effect}",
            (
                f"tail -n 50 var/log/{process}.log",
                f"{METRICS} | grep riskplatform_processes",
                "manage.py doctor",
            ),
            RESTART,
        ),
    )


def _grew(counter: str, by: str, window: str) -> str:
    """Notice a counter that begins with its first event, too: it does not increase."""
    is_new = f"({counter} unless {counter} offset {window}) > 0"
    return f"sum by ({by}) (increase({counter}[{window}]) > 0 or {is_new})"


OWN_ALERTS: Final = (
    Alert(
        name="MetricsMissing",
        expr='up{job="riskplatform"} == 0 or absent(up{job="riskplatform"})',
        lasts="2m",
        severity=PAGE,
        summary="Prometheus cannot read the metrics of the platform",
        runbook=Runbook(
            "The process that serves /metrics is gone, or Prometheus may not reach it. "
            "No other alert can be trusted meanwhile.",
            (
                f"{METRICS} | head",
                "tail -n 50 var/log/metrics.log",
                "manage.py doctor",
            ),
            f"{RESTART} A 401 means that the token in prometheus.yml is not "
            "`METRICS_TOKEN`.",
        ),
    ),
    _missing("web", PAGE, "Nobody is answered."),
    _missing(
        "worker",
        PAGE,
        "Accepted events wait, forecasts get old, alerts stay unsent; nothing is lost.",
    ),
    _missing("realtime", TICKET, "Maps in browsers get no updates."),
    Alert(
        name="JobsFailing",
        expr=_grew('perf_jobs_finished_total{state="failed"}', "kind", "1h"),
        lasts="0m",
        severity=TICKET,
        summary="Jobs of kind {{ $labels.kind }} failed for good",
        runbook=Runbook(
            "A job was tried as often as it may be, and failed each time.",
            (
                "grep -A40 'riskplatform.errors \\[job-' var/log/worker.log",
                f"{METRICS} | grep perf_jobs_",
                "manage.py run_worker --once",
            ),
            "The page of the job in the admin has the error; mend its cause and queue "
            "it again there. The alert ends an hour after the last failure.",
        ),
    ),
    Alert(
        name="RedisLeftAlone",
        expr="max(perf_store_circuit_open) > 0",
        lasts="5m",
        severity=TICKET,
        summary="Processes leave Redis alone, because it does not answer",
        runbook=Runbook(
            "Nothing is lost: processes compute what they would have shared. They are "
            "slower, and limits count for each process by itself.",
            (
                "manage.py doctor",
                "tail -n 50 var/log/valkey.log",
                f"{METRICS} | grep perf_store_",
            ),
            "Bring Redis back, or raise `REDIS_TIMEOUT_MS` where it is far away. "
            "Processes come back to it by themselves.",
        ),
    ),
    Alert(
        name="ConnectionsExhausted",
        expr=_grew("perf_connections_exhausted_total", "server", "15m"),
        lasts="0m",
        severity=TICKET,
        summary="No connection to {{ $labels.server }} was free in time",
        runbook=Runbook(
            "A pool had nothing to lend for as long as a request may wait.",
            (
                f"{METRICS} | grep perf_connection",
                "manage.py doctor",
                "curl -s http://127.0.0.1:8000/health/ready",
            ),
            "Find what holds connections: slow queries (dashboard *ClickHouse and "
            "ingestion*), a server that hangs. Then raise `DATABASE_POOL_SIZE`, if the "
            "server allows for it (`manage.py doctor` counts).",
        ),
    ),
)
