"""How severe the events of a region are: one query, equally likely severities."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from analytics.store.clickhouse import to_milliseconds
from analytics.store.query_cache import cached_columns

# One in ten thousand: the rarest severity that ten thousand scenarios can show.
MOST_RANKS = 10_000

# What is in the middle of each of equally large shares; all of them if they are few.
RANKED = """
WITH
    arraySort(groupArray(severity)) AS sorted,
    length(sorted) AS known,
    least(known, %(most)s) AS ranks
SELECT arrayJoin(arrayMap(
    rank -> sorted[1 + intDiv((2 * rank + 1) * known, 2 * ranks)], range(ranks)
)) AS ranked_severity
FROM analytics_event FINAL
WHERE region = %(region)s
    AND occurred_at < fromUnixTimestamp64Milli(%(until_ms)s, 'UTC')
    AND severity IS NOT NULL
    AND is_deleted = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
"""


def ranked_severities(region: str, *, until: datetime) -> NDArray[np.float64]:
    """Give equally likely severities of an event before `until`, ascending.

    An event whose rank is u, in [0, 1), has the severity at floor(u * size). There
    is none if no event of the region has a severity.
    """
    columns = cached_columns(
        "severities_ranked",
        RANKED,
        {
            "region": region,
            "until_ms": to_milliseconds(until),
            "most": MOST_RANKS,
        },
        regions=[region],
    )
    return columns["ranked_severity"]
