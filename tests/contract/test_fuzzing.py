"""Every operation of the schema, with whatever a client may send."""

import os
from collections.abc import Generator
from http import HTTPStatus
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

from riskplatform.api.keys.models import Organisation, Scope
from riskplatform.api.keys.services import issue_key
from tests.contract.operations import list_operations
from tests.support.factories import make_forecast, make_region

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))
OPERATIONS = list_operations()
# No schema can say which cells and regions exist; keys are walked by another test.
NOT_ASKED = ("positive_data_acceptance", "ignored_auth")
# These give every row a verdict of its own, so a wrong row is no wrong request.
ROW_BY_ROW = {"POST /api/v1/events"}


@pytest.fixture
def one_connection() -> Generator[None]:
    """Keep the connection of the test, whose transaction is never committed."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def key(one_connection: None) -> str:
    make_forecast(make_region())
    organisation = Organisation.objects.create(slug="fuzz", name="Fuzz")
    issued = issue_key(organisation, name="fuzz", scopes=list(Scope.values))
    return issued.text.text


@pytest.mark.django_db(databases=["default", "clickhouse"])
@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_an_operation_answers_as_the_schema_says(
    label: str, mode: GenerationMode, key: str
) -> None:
    not_asked = [
        *NOT_ASKED,
        *(["negative_data_rejection"] if label in ROW_BY_ROW else []),
    ]
    excluded: Any = CHECKS.get_by_names(not_asked)
    rejection: Any = CHECKS.get_by_names(["negative_data_rejection"])
    shown = {"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        answer = case.call(headers=shown)
        # The check does not know that a long address is refused, too.
        is_too_long = answer.status_code == HTTPStatus.REQUEST_URI_TOO_LONG
        passed = rejection if is_too_long else []
        case.validate_response(answer, excluded_checks=[*excluded, *passed])

    try:
        ask()
    except Unsatisfiable:
        pytest.skip("Nothing that a client could send is wrong here.")
