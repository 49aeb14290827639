"""What the event store promises and shows."""

from perf.monitoring.charts import Chart, Level, Quantiles, register_charts
from perf.monitoring.described import (
    TICKET,
    Alert,
    Dashboard,
    Panel,
    register_alerts,
    register_dashboards,
)
from perf.monitoring.queries import level, quantiles, rate
from perf.slo.indicators import Latency, Series
from perf.slo.objectives import (
    METRICS,
    Objective,
    Owner,
    Runbook,
    register_objectives,
)

register_objectives(
    Objective(
        name="clickhouse-queries-p95",
        promise="95 % of the queries on ClickHouse take at most 100 ms",
        indicator=Latency(histogram="analytics_query_seconds", at_most_s=0.1),
        target=0.95,
        owner=Owner.EVENTS,
        pages=False,
        runbook=Runbook(
            "Queries on the event store are slow, or slower than they were.",
            (
                f"{METRICS} | grep analytics_query_seconds_sum",
                f"{METRICS} | grep analytics_query_errors",
                "manage.py refresh_rollups",
            ),
            "The dashboard *ClickHouse and ingestion* names the query. Stale rollups "
            "make reports read raw events; large imports slow everything down for a "
            "while. `manage.py slow_queries` names the queries and the requests that "
            "asked them.",
        ),
    ),
    Objective(
        name="events-visible-p99",
        promise="99 % of accepted batches of events are in ClickHouse within 5 s",
        indicator=Latency(histogram="analytics_visible_seconds", at_most_s=5.0),
        target=0.99,
        owner=Owner.EVENTS,
        runbook=Runbook(
            "Accepted events reach ClickHouse late. None is lost: they wait in the "
            "default database.",
            (
                f"{METRICS} | grep analytics_inbox_",
                "manage.py ship_events --once",
                "tail -n 50 var/log/worker.log",
            ),
            "Where ClickHouse does not answer, bring it back; where the backlog is "
            "large and shrinks, wait; where no worker runs, start one.",
        ),
    ),
)
register_alerts(
    Alert(
        name="EventsParked",
        expr="max(analytics_inbox_parked_events) > 0",
        lasts="5m",
        severity=TICKET,
        summary="Accepted events that ClickHouse will not take are set apart",
        runbook=Runbook(
            "Some rows passed validation and are refused by ClickHouse, so they were "
            "set apart and all others went on.",
            (
                f"{METRICS} | grep analytics_inbox_parked_events",
                "grep shipment var/log/worker.log",
                "manage.py ship_events --once",
            ),
            "The admin's page of parked events has the reason of each. Mend it, often "
            "a column of ClickHouse that was changed by hand, and resend them.",
        ),
    ),
    Alert(
        name="RollupsLag",
        expr="max(analytics_rollup_stale_partitions) > 0",
        lasts="1h",
        severity=TICKET,
        summary="Rollups have lagged behind the events for an hour",
        runbook=Runbook(
            "Reports and features of the years concerned read raw events: right, and "
            "slow.",
            (
                "manage.py refresh_rollups",
                f"{METRICS} | grep analytics_rollup_",
                "tail -n 50 var/log/worker.log",
            ),
            "`refresh_rollups` computes them again and says what failed.",
        ),
    ),
)
register_dashboards(
    Dashboard(
        name="clickhouse-and-ingestion",
        title="ClickHouse and ingestion",
        panels=(
            Panel("Queries", "cps", (rate("analytics_query_seconds_count", "query"),)),
            Panel(
                "Time of queries, p95",
                "s",
                (quantiles("analytics_query_seconds", "query")[1],),
            ),
            Panel(
                "Queries that failed",
                "cps",
                (
                    rate("analytics_query_errors_total", "query", "reason"),
                    rate("analytics_query_retries_total", "query"),
                ),
            ),
            Panel(
                "Rows posted", "cps", (rate("analytics_inbox_events_total", "outcome"),)
            ),
            Panel("Rows of files", "cps", (rate("analytics_events_total", "outcome"),)),
            Panel(
                "Shipped", "cps", (rate("analytics_shipped_events_total", "outcome"),)
            ),
            Panel(
                "Accepted until visible", "s", quantiles("analytics_visible_seconds")
            ),
            Panel(
                "Backlog",
                "none",
                (
                    level("analytics_inbox_backlog_events"),
                    level("analytics_inbox_parked_events"),
                ),
            ),
            Panel(
                "The oldest that waits", "s", (level("analytics_inbox_oldest_seconds"),)
            ),
            Panel(
                "Attempts to ship that failed",
                "cps",
                (rate("analytics_shipping_failures_total"),),
            ),
            Panel(
                "Rollups",
                "none",
                (
                    level("analytics_rollup_stale_partitions"),
                    quantiles("analytics_rollup_refresh_seconds")[1],
                ),
            ),
            Panel(
                "Ledger and exports",
                "cps",
                (
                    rate("analytics_ledger_rows_total", "table"),
                    rate("analytics_exported_events_total", "format"),
                ),
            ),
        ),
    )
)
register_charts(
    Chart("Queries on ClickHouse", "s", Quantiles("analytics_query_seconds")),
    Chart(
        "Events that wait for ClickHouse",
        "",
        Level(Series("analytics_inbox_backlog_events")),
    ),
)
