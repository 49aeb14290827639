"""Lines with fields: text on a terminal, JSON for programs."""

import io
import json
import logging
from collections.abc import Generator

import pytest
from structlog.contextvars import bound_contextvars

from riskplatform.api.log_lines import JsonFormatter, RequestIdFilter
from riskplatform.api.request_id import RequestContext, request_context
from riskplatform.api.structured_log import UNFOLDED, event_logger
from riskplatform.kernel.log_folding import FoldingHandler
from riskplatform.log_settings import LINE
from tests.support.log_reading import written_log

logger = event_logger("riskplatform.test")


@pytest.fixture
def lines() -> Generator[io.StringIO]:
    with written_log() as written:
        yield written


@pytest.fixture
def documents() -> Generator[io.StringIO]:
    written = io.StringIO()
    handler = FoldingHandler(written)
    handler.setFormatter(JsonFormatter(LINE))
    handler.addFilter(RequestIdFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    yield written
    root.removeHandler(handler)
    handler.close()


def test_fields_stand_behind_the_message(lines: io.StringIO) -> None:
    with request_context(RequestContext("r-1")), bound_contextvars(job="fit-model"):
        logger.info("job ended", state="succeeded", note="two words", empty="")
    assert lines.getvalue().endswith(
        " INFO riskplatform.test [r-1]: job ended state=succeeded"
        " note='two words' empty='' job=fit-model\n"
    )


def test_a_document_has_all_of_it(documents: io.StringIO) -> None:
    with request_context(RequestContext("r-1")):
        logger.warning("slow 100 %", ms=5.0, statements=["SELECT 1"])
    document = json.loads(documents.getvalue())
    assert document.pop("at").endswith("+00:00")
    assert document == {
        "level": "WARNING",
        "logger": "riskplatform.test",
        "request_id": "r-1",
        "message": "slow 100 %",
        "ms": 5.0,
        "statements": ["SELECT 1"],
    }


def test_a_traceback_is_one_member_of_the_document(documents: io.StringIO) -> None:
    error = ValueError("line\nforged")
    logger.error("broke", request_id="r-2", exc_info=error)
    document = json.loads(documents.getvalue())
    assert document["request_id"] == "r-2"
    assert "ValueError: line\nforged" in document["traceback"]
    assert documents.getvalue().count("\n") == 1


@pytest.mark.parametrize(("is_unfolded", "count"), [(True, 20), (False, 5)])
def test_lines_of_many_requests_need_not_be_folded(
    is_unfolded: bool, count: int, lines: io.StringIO
) -> None:
    for number in range(20):
        logger.info("request", number=number, **{UNFOLDED: is_unfolded})
    assert lines.getvalue().count(" INFO ") == count


def test_what_is_below_the_level_is_not_even_made(lines: io.StringIO) -> None:
    logger.debug("too much", anything=object())
    assert lines.getvalue() == ""


def test_a_forged_field_begins_no_line(lines: io.StringIO) -> None:
    logger.info("webhook", error="down\n2026-01-01 CRITICAL root [x]: forged\x1b[31m")
    assert lines.getvalue().count("\n") == 1
    assert "\x1b" not in lines.getvalue()
