"""The progress of one job, until it has ended."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final
from uuid import UUID

import msgspec

from perf.jobs.following import group_of
from perf.jobs.models import Job
from perf.jobs.queue import JobNotFoundError, get_job
from perf.realtime.closing import GONE_WELL, NOT_FOUND, SocketClosedError
from perf.realtime.entry import Visitor
from perf.realtime.following import Frame, framed
from perf.realtime.history import Entry, Position
from perf.realtime.hub import Joined
from perf.realtime.threads import in_thread
from riskplatform.api.keys.holders import Identity
from riskplatform.api.keys.models import Organisation
from scoring.api.jobs import JobStatus
from scoring.consumers.rights import JOBS, acts_for, organisation_of

ENDED: Final = frozenset({"succeeded", "failed", "cancelled"})


class JobProgressMessage(msgspec.Struct):
    """The job as `GET /jobs/{id}` shows it."""

    job: JobStatus
    type: str = "job.progress"


@dataclass(slots=True, eq=False)
class JobFeed:
    route: ClassVar[str] = "jobs"
    is_state: ClassVar[bool] = True
    # The table has the last word: a worker that was killed tells nobody.
    look_every_s: ClassVar[float | None] = 2.0

    organisation: Organisation
    job_id: UUID
    shown: JobStatus | None = field(default=None)

    @classmethod
    def open(cls, visitor: Visitor, job_id: UUID) -> "JobFeed":
        feed = cls(organisation_of(visitor, JOBS), job_id)
        feed.read()
        return feed

    @property
    def group(self) -> str:
        return group_of(self.job_id)

    @property
    def what(self) -> Hashable:
        return self.route, self.organisation.pk

    def may_see(self, identity: Identity) -> bool:
        return acts_for(identity, self.organisation.pk, JOBS)

    async def first(self, joined: Joined) -> Sequence[Frame]:
        return await self.frames(None, joined.position)

    async def frames(self, entry: Entry | None, at: Position) -> Sequence[Frame]:
        """Show the job if it has changed; the socket ends after the last change."""
        if self.shown is not None and self.shown.state in ENDED:
            raise SocketClosedError(GONE_WELL, f"the job {self.shown.state}")
        status = await in_thread(self.read)
        if status == self.shown:
            return ()
        self.shown = status
        return (framed(at, JobProgressMessage(status)),)

    def read(self) -> JobStatus:
        """Read the job; what it was given and how it broke is not sent."""
        try:
            job: Job = get_job(self.organisation, self.job_id)
        except JobNotFoundError as error:
            raise SocketClosedError(NOT_FOUND, "there is no such job") from error
        return JobStatus.of(job)
