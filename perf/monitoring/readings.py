"""Reads /metrics every half minute, and keeps what happened meanwhile for hours."""

import urllib.request
import zlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from perf.monitoring.charts import Interval, all_charts
from perf.monitoring.models import MetricReading
from perf.slo.indicators import Sample, growth
from perf.slo.objectives import all_objectives

EVERY_S: Final = 30.0
KEPT: Final = timedelta(hours=6)
# What lies longer apart says nothing of when it happened.
LONGEST_GAP_S: Final = 10 * EVERY_S
TIMEOUT_S: Final = 10.0

Samples = list[tuple[Sample, float]]


def take_reading() -> bool:
    """Keep what happened since the last reading; False where /metrics is not served."""
    try:
        samples = read_metrics(settings.METRICS_URL)
    except OSError:
        return False
    keep_reading(samples)
    return True


def read_metrics(url: str) -> Samples:
    request = urllib.request.Request(url)  # noqa: S310 - a setting of the operator
    if settings.METRICS_TOKEN:
        request.add_header("Authorization", f"Bearer {settings.METRICS_TOKEN}")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
        text: str = answer.read().decode()
    return [
        ((sample.name, sample.labels), sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]


@transaction.atomic
def keep_reading(samples: Samples) -> MetricReading:
    """Write down what happened between the newest reading and these samples."""
    now = timezone.now()
    MetricReading.objects.filter(at__lt=now - KEPT).delete()
    before = MetricReading.objects.filter(samples__isnull=False).last()
    reading = MetricReading(at=now, samples=_packed(samples))
    if before is not None:
        seconds = (now - before.at).total_seconds()
        if 0 < seconds <= LONGEST_GAP_S:
            levels = growth((), samples)
            grown = growth(_unpacked(before.samples), samples)
            _write(reading, Interval(seconds, grown, levels))
        MetricReading.objects.filter(pk=before.pk).update(samples=None)
    reading.save()
    return reading


def _write(reading: MetricReading, interval: Interval) -> None:
    reading.seconds = interval.seconds
    reading.counts = {
        objective.name: rows
        for objective in all_objectives()
        if (rows := _counts(objective.indicator, interval))
    }
    reading.points = {
        title: points
        for title, chart in all_charts().items()
        if (points := chart.points(interval))
    }


def _counts(indicator: Any, interval: Interval) -> list[Any]:
    counted = indicator.counted(
        interval.growth, levels=interval.levels, seconds=interval.seconds
    )
    return [[list(key), bad, total] for key, (bad, total) in sorted(counted.items())]


def _packed(samples: Iterable[tuple[Sample, float]]) -> bytes:
    # What is not finite is not JSON, and no count.
    rows = [[name, labels, value] for (name, labels), value in samples]
    return zlib.compress(orjson.dumps(rows))


def _unpacked(packed: bytes | memoryview | None) -> Samples:
    rows = orjson.loads(zlib.decompress(bytes(packed or b"")))
    return [((name, labels), value or 0.0) for name, labels, value in rows]
