"""One Idempotency-Key: one effect and one answer, whatever happens."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import orjson
import pytest
from django.db import connections
from django.http import HttpResponse
from django.utils import timezone

from analytics.models import InboxEvent, IngestBatch
from riskplatform.api.idempotency.models import IdempotentRequest
from riskplatform.api.idempotency.services import forget_old_answers
from tests.support.event_payloads import make_event, make_events
from tests.support.one_region import Post

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.databases,
]
KEY = {"Idempotency-Key": "k-1"}


def code(response: HttpResponse) -> str:
    return str(orjson.loads(response.content)["code"])


def test_a_repetition_gets_the_first_answer_byte_for_byte(post: Post) -> None:
    first = post(make_events(3), **KEY)
    second = post(make_events(3), **KEY)

    assert first.status_code == second.status_code == 202
    assert first.content == second.content
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert IngestBatch.objects.count() == 1


def test_a_refusal_of_all_rows_is_given_again_and_keeps_its_batch(post: Post) -> None:
    first = post([{"external_id": 1}], **KEY)
    second = post([{"external_id": 1}], **KEY)

    assert first.status_code == second.status_code == 422
    assert second["Idempotency-Replayed"] == "true"
    assert second["Content-Type"] == "application/problem+json"
    assert first.content == second.content
    assert IngestBatch.objects.count() == 1


@pytest.mark.parametrize("query", ["", "?source=other"])
def test_another_request_under_the_key_is_refused(post: Post, query: str) -> None:
    post(make_events(1), **KEY)

    response = post(make_events(1 if query else 2), query=query, **KEY)

    assert (response.status_code, code(response)) == (422, "idempotency_key_reused")
    assert InboxEvent.objects.count() == 1


def test_twenty_at_once_have_one_effect(post: Post) -> None:
    def send(number: int) -> HttpResponse:
        try:
            return post(make_events(50), **KEY)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        responses = list(pool.map(send, range(20)))

    assert InboxEvent.objects.count() == 50
    assert IngestBatch.objects.count() == 1
    answers = Counter(response.status_code for response in responses)
    assert set(answers) <= {202, 409}
    assert len({r.content for r in responses if r.status_code == 202}) == 1
    assert {code(r) for r in responses if r.status_code == 409} <= {
        "request_in_progress"
    }


def test_a_failed_request_leaves_the_key_free(post: Post) -> None:
    refused = post(b"no json", **KEY)

    assert refused.status_code == 400
    assert not IdempotentRequest.objects.exists()
    assert post(make_events(1), **KEY).status_code == 202


def test_a_crash_before_the_answer_is_stored_takes_the_effect_along(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = IdempotentRequest.save

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def run(*args: object, **kwargs: object) -> None:
        if "update_fields" in kwargs:
            die()
        save(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they come

    with monkeypatch.context() as patched:
        patched.setattr(IdempotentRequest, "save", run)
        with pytest.raises(KeyboardInterrupt):
            post(make_events(5), **KEY)

    assert not InboxEvent.objects.exists()
    retried = orjson.loads(post(make_events(5), **KEY).content)
    assert (retried["accepted"], retried["duplicates"]) == (5, 0)


def test_an_answer_is_kept_for_a_day(post: Post) -> None:
    post([make_event(0)], **KEY)
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(hours=25))

    assert post([make_event(1)], **KEY).status_code == 202
    assert forget_old_answers() == 0
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert forget_old_answers() == 1


@pytest.mark.parametrize("text", [" ", "é", "k" * 201])
def test_a_key_that_is_none_is_refused(post: Post, text: str) -> None:
    response = post([make_event(0)], **{"Idempotency-Key": text})

    assert (response.status_code, code(response)) == (422, "idempotency_key_invalid")
