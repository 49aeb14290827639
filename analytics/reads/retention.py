"""How long events are stored: the table's own TTL, one rule a region.

ClickHouse removes what is too old when it merges, some time after it became so. By
default nothing is ever removed.
"""

from collections.abc import Mapping

from analytics.store.clickhouse import SqlValue, fetch_rows, run_statement
from analytics.store.event_changes import changing_all_events
from riskplatform.kernel.errors import InvalidInputError

HAS_RULES = """
SELECT position(engine_full, ' TTL ') > 0 FROM system.tables
WHERE database = currentDatabase() AND name = 'analytics_event'
"""
RULE = (
    "toDate32(occurred_at) + toIntervalDay(%(days_{number})s)"
    " DELETE WHERE region = %(region_{number})s"
)
FORGET = "ALTER TABLE analytics_event REMOVE TTL"
MAX_DAYS = 36_525


def set_retention(days_of_region: Mapping[str, int]) -> None:
    """Keep the events of these regions for so many days, all others for ever."""
    for region, days in days_of_region.items():
        if not 1 <= days <= MAX_DAYS:
            raise InvalidInputError(
                f"Events can be kept for 1 to {MAX_DAYS:,} days, not {days:,}.",
                region=region,
            )
    rules: list[str] = []
    params: dict[str, SqlValue] = {}
    for number, (region, days) in enumerate(sorted(days_of_region.items())):
        rules.append(RULE.format(number=number))
        params |= {f"region_{number}": region, f"days_{number}": days}
    with changing_all_events():
        ((has_rules,),) = fetch_rows("retention_get", HAS_RULES)
        if rules:
            set_rules = f"ALTER TABLE analytics_event MODIFY TTL {', '.join(rules)}"
            run_statement("retention_set", set_rules, params)
        elif has_rules:
            run_statement("retention_forget", FORGET)
