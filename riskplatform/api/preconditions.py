"""If-Match: a change is made only to the state that its sender has seen."""

from dataclasses import dataclass
from typing import Self

from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from riskplatform.kernel.errors import ApplicationError

EVERY_TAG = "*"
IF_MATCH = OpenApiParameter(
    "If-Match",
    type=str,
    location=OpenApiParameter.HEADER,
    description="ETag of the state to change; 412 if it has changed since.",
)


class PreconditionFailedError(ApplicationError):
    code = "precondition_failed"
    title = "It has changed meanwhile"
    status = 412


@dataclass(frozen=True, slots=True)
class Precondition:
    """The tags of the states that a request may change; none means any state."""

    tags: frozenset[str] = frozenset()

    @classmethod
    def of(cls, request: Request) -> Self:
        """Read If-Match; a tag made weak by compression names the same state."""
        tags = parse_etags(request.headers.get("If-Match", EVERY_TAG))
        strong = frozenset(tag.removeprefix("W/") for tag in tags)
        return cls(frozenset() if EVERY_TAG in strong else strong or frozenset({""}))

    def check(self, tag: str) -> None:
        """Refuse a state that is none of those named."""
        if self.tags and tag not in self.tags:
            raise PreconditionFailedError(
                "It has changed since you read it. Read it again, then repeat.",
                etag=tag,
            )


ANY_STATE = Precondition()
