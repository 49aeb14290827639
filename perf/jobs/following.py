"""Calls those who follow a job; they read in its row how it stands.

A call that gets lost costs a second or two: who follows looks by itself as well.
"""

from uuid import UUID

import msgspec
from django.utils import timezone

from perf.jobs.models import Job
from perf.realtime.history import history
from perf.shared_store import StoreUnavailableError
from riskplatform.kernel.ids import uuid7


def group_of(job_id: UUID) -> str:
    return f"job:{job_id}"


def call_followers(job: Job) -> None:
    """Say that a job has changed; the platform's own are followed by nobody."""
    if job.organisation_id is None:
        return
    message_id = str(uuid7())
    news = {"type": "job.progress", "id": message_id, "timestamp": timezone.now()}
    try:
        history.publish(group_of(job.pk), [(message_id, msgspec.json.encode(news))])
    except StoreUnavailableError:
        return
