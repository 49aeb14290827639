"""Writes of vulnerabilities: a curve is made and deleted, never changed.

Assessments depend on curves; another curve is another vulnerability.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import RestrictedError

from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.errors import InvalidInputError
from scoring.errors import (
    VulnerabilityInUseError,
    VulnerabilityNotFoundError,
    VulnerabilityTakenError,
)
from scoring.models import Vulnerability

MAX_POINTS = 200

# Severity and damage ratio.
Point = Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveDefinition:
    slug: str
    name: str
    points: Sequence[Point]


def create_vulnerability(
    organisation: Organisation, *, definition: CurveDefinition
) -> Vulnerability:
    check_points(definition.points)
    vulnerability = Vulnerability(
        organisation=organisation,
        slug=definition.slug,
        name=definition.name,
        points=[list(point) for point in definition.points],
    )
    try:
        with transaction.atomic():
            vulnerability.save()
    except IntegrityError:
        raise VulnerabilityTakenError(
            f"There is a vulnerability {definition.slug!r} already."
            " A curve is not changed: make one with another slug.",
            vulnerability=definition.slug,
        ) from None
    return vulnerability


def delete_vulnerability(organisation: Organisation, *, slug: str) -> None:
    """Delete one of the organisation's own; those that all share stay."""
    mine = Vulnerability.objects.filter(organisation=organisation, slug=slug)
    try:
        with transaction.atomic():
            deleted, _ = mine.delete()
    # An asset that came in meanwhile shows when the transaction ends.
    except (RestrictedError, IntegrityError):
        raise VulnerabilityInUseError(
            f"Assets use the vulnerability {slug!r}. Give them another one first.",
            vulnerability=slug,
        ) from None
    if not deleted:
        raise VulnerabilityNotFoundError(
            f"The organisation has no vulnerability {slug!r} of its own.",
            vulnerability=slug,
        )


def check_points(points: Sequence[Point]) -> None:
    """Require finite severities that ascend, and damage ratios within [0, 1]."""
    if not 1 <= len(points) <= MAX_POINTS:
        raise InvalidInputError(
            f"A curve has 1 to {MAX_POINTS} points.", field="points"
        )
    before = -math.inf
    for index, (severity, ratio) in enumerate(points):
        if not math.isfinite(severity) or severity <= before:
            raise InvalidInputError(
                "Severities are finite and ascend.", field=("points", index, 0)
            )
        if not 0 <= ratio <= 1:
            raise InvalidInputError(
                "A damage ratio lies between 0 and 1.", field=("points", index, 1)
            )
        before = severity
