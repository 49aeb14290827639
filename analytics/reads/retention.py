"""How long events are stored: the table's own TTL, one rule a region.

ClickHouse removes what is too old when it merges, some time after it became so. By
default nothing is ever removed.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from django.utils import timezone

from analytics.store.clickhouse import SqlValue, fetch_rows, run_statement
from analytics.store.event_changes import changing_all_events
from riskplatform.kernel.errors import InvalidInputError

RULES: Final = """
SELECT engine_full FROM system.tables
WHERE database = currentDatabase() AND name = 'analytics_event'
"""
RULE: Final = (
    "toDate32(occurred_at) + toIntervalDay(%(days_{number})s)"
    " DELETE WHERE region = %(region_{number})s"
)
# As ClickHouse writes a rule down.
WRITTEN_RULE: Final = re.compile(
    r"toIntervalDay\((\d+)\)(?: DELETE)? WHERE region = '([^']+)'"
)
FORGET: Final = "ALTER TABLE analytics_event REMOVE TTL"
COUNT: Final = """
SELECT count() FROM analytics_event FINAL
WHERE region = %(region)s AND occurred_at < %(before)s
"""
REGIONS: Final = "SELECT DISTINCT region FROM analytics_event ORDER BY region"
MAX_DAYS: Final = 36_525


def read_retention() -> dict[str, int]:
    """Give the days for which events are kept, by region; all others stay for ever."""
    ((engine,),) = fetch_rows("retention_get", RULES)
    return {region: int(days) for days, region in WRITTEN_RULE.findall(engine)}


def count_too_old(days_of_region: Mapping[str, int]) -> dict[str, int]:
    """Count the events that rules would remove now, by region.

    Raises
    ------
    InvalidInputError
        A region has no events, or days are too many or too few.
    """
    (*known,) = (region for (region,) in fetch_rows("retention_regions", REGIONS))
    counts = {}
    for region, days in days_of_region.items():
        if not 1 <= days <= MAX_DAYS:
            raise InvalidInputError(
                f"Events can be kept for 1 to {MAX_DAYS:,} days, not {days:,}.",
                region=region,
            )
        if region not in known:
            raise InvalidInputError(
                f"There are no events of a region {region!r}. Regions with events: "
                f"{', '.join(known) or 'none'}.",
                region=region,
            )
        before = timezone.now() - timedelta(days=days)
        params: dict[str, SqlValue] = {"region": region, "before": before}
        ((counts[region],),) = fetch_rows("retention_count", COUNT, params)
    return counts


def set_retention(days_of_region: Mapping[str, int]) -> None:
    """Keep the events of these regions for so many days, all others for ever."""
    rules: list[str] = []
    params: dict[str, SqlValue] = {}
    for number, (region, days) in enumerate(sorted(days_of_region.items())):
        rules.append(RULE.format(number=number))
        params |= {f"region_{number}": region, f"days_{number}": days}
    with changing_all_events():
        if rules:
            set_rules = f"ALTER TABLE analytics_event MODIFY TTL {', '.join(rules)}"
            run_statement("retention_set", set_rules, params)
        elif read_retention():
            run_statement("retention_forget", FORGET)
