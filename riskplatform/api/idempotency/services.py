"""Carries a request out once, however often it comes.

The note that a key was used, the effect of the request and the answer to it are
written by one transaction: a crash leaves all three or none.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import OperationalError, transaction
from django.utils import timezone

from riskplatform.api.idempotency.models import IdempotentRequest
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.errors import ConflictError, InvalidInputError

RETENTION = timedelta(hours=24)
KEY_FORM = re.compile(r"[\x21-\x7e]{1,200}")
LOCK_NOT_AVAILABLE = "55P03"
RESERVE_ATTEMPTS = 3


class RequestInProgressError(ConflictError):
    code = "request_in_progress"
    title = "The same request is being worked on"


class KeyReusedError(InvalidInputError):
    code = "idempotency_key_reused"
    title = "The Idempotency-Key belongs to another request"


class IdempotencyKeyError(InvalidInputError):
    code = "idempotency_key_invalid"
    title = "The Idempotency-Key is not valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    status: int
    body: bytes
    is_replayed: bool = False


def fingerprint_of(method: str, path: str, body: bytes) -> str:
    """Hash what identifies a request; `path` includes the query."""
    head = f"{method} {path}\n".encode()
    return hashlib.sha256(head + body).hexdigest()


def answer_once(
    organisation: Organisation,
    *,
    key: str,
    fingerprint: str,
    produce: Callable[[], StoredResponse],
) -> StoredResponse:
    """Give the stored answer, or produce it; what `produce` raises is not stored.

    Raises
    ------
    KeyReusedError
        The key came with another request before.
    RequestInProgressError
        Another process works on the same request now.
    """
    if KEY_FORM.fullmatch(key) is None:
        raise IdempotencyKeyError(
            "An Idempotency-Key has 1 to 200 visible ASCII characters."
        )
    for _ in range(RESERVE_ATTEMPTS):
        mine = IdempotentRequest.objects.filter(organisation=organisation, key=key)
        mine.filter(created_at__lt=timezone.now() - RETENTION).delete()
        reserved, _ = IdempotentRequest.objects.get_or_create(
            organisation=organisation, key=key, defaults={"fingerprint": fingerprint}
        )
        try:
            return _answer(reserved.pk, fingerprint, produce)
        except IdempotentRequest.DoesNotExist:
            # The request that held the key failed and released it meanwhile.
            continue
    raise _in_progress()


def forget_old_answers() -> int:
    """Delete answers older than a day; the worker does so now and then."""
    old = IdempotentRequest.objects.filter(created_at__lt=timezone.now() - RETENTION)
    return old.delete()[0]


def _answer(
    pk: int, fingerprint: str, produce: Callable[[], StoredResponse]
) -> StoredResponse:
    is_mine = False
    try:
        with transaction.atomic():
            stored = _locked(pk)
            _check_fingerprint(stored, fingerprint)
            if stored.status is not None:
                body = bytes(stored.body or b"")
                return StoredResponse(status=stored.status, body=body, is_replayed=True)
            is_mine = True
            answer = produce()
            stored.status, stored.body = answer.status, answer.body
            stored.save(update_fields=("status", "body"))
            return answer
    except BaseException:
        if is_mine:
            IdempotentRequest.objects.filter(pk=pk, status=None).delete()
        raise


def _check_fingerprint(stored: IdempotentRequest, fingerprint: str) -> None:
    if stored.fingerprint != fingerprint:
        raise KeyReusedError(
            f"The Idempotency-Key {stored.key} came with another request before."
            " Use a new key for a new request."
        )


def _locked(pk: int) -> IdempotentRequest:
    """Lock the row; SQLite locks the whole database and waits its turn instead."""
    rows = IdempotentRequest.objects.select_for_update(nowait=True)
    try:
        return rows.get(pk=pk)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
            raise
        raise _in_progress() from None


def _in_progress() -> RequestInProgressError:
    return RequestInProgressError(
        "A request with this Idempotency-Key is being worked on. Ask again shortly.",
    )
