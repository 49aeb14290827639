"""What the worker does for its own queue."""

from datetime import timedelta
from itertools import product

from django.db.models import Count
from django.utils import timezone

from perf.jobs.metrics import JOBS_UNFINISHED
from perf.jobs.models import Job
from perf.jobs.runner import runners
from perf.monitoring.readings import EVERY_S, take_reading
from perf.realtime.announcements import send_waiting
from riskplatform.kernel.periodic import register_periodic

RETENTION = timedelta(days=30)


def count_unfinished_jobs() -> None:
    """Bring the gauge of waiting and running jobs up to date."""
    rows = Job.objects.unfinished().order_by().values_list("kind", "state")
    counts = {(kind, state): n for kind, state, n in rows.annotate(n=Count("pk"))}
    kinds = runners.keys() | {kind for kind, _ in counts}
    for kind, state in product(kinds, (Job.State.QUEUED, Job.State.RUNNING)):
        JOBS_UNFINISHED.labels(kind, state.value).set(counts.get((kind, state), 0))


def forget_old_jobs() -> int:
    """Delete the platform's own jobs a month after their end."""
    old = Job.objects.filter(
        organisation=None, finished_at__lt=timezone.now() - RETENTION
    )
    return old.delete()[0]


register_periodic("count-unfinished-jobs", 15, count_unfinished_jobs)
register_periodic("send-announcements", 2, send_waiting)
register_periodic("forget-old-jobs", 3_600, forget_old_jobs)
register_periodic("read-metrics", EVERY_S, take_reading)
