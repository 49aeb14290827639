"""What a unique constraint says, as an error of the platform."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from riskplatform.kernel.errors import ConflictError


@contextmanager
def unique_or(taken: ConflictError) -> Iterator[None]:
    """Write in a savepoint; where a unique value is there already, raise `taken`."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise taken from None
