"""`manage.py list_operations` says of each operation who may use it."""

import json
from io import StringIO

from django.core.management import call_command

from riskplatform.management.commands.list_operations import list_operations
from tests.access.table import TABLE


def test_every_operation_is_there_with_what_it_needs() -> None:
    callers = {each.operation: each.callers for each in list_operations()}
    assert callers.keys() == TABLE.keys()
    for name, ways in TABLE.items():
        for way in ways:
            scopes = (*way.all_of, *way.any_of)
            needed = {*(f"scope {it}" for it in scopes), *way.permissions}
            assert all(one in callers[name] for one in needed), name
            is_open = not needed
            assert (callers[name] == "anybody") is is_open, name


def test_it_is_printed_for_people_and_for_programs() -> None:
    shown, written = StringIO(), StringIO()
    call_command("list_operations", stdout=shown)
    call_command("list_operations", json=True, stdout=written)
    found = {row["operation"]: row for row in json.loads(written.getvalue())}
    assert found["assess"] == {
        "operation": "assess",
        "method": "POST",
        "path": "/api/v1/assess/<uuid:portfolio_id>",
        "callers": "scope portfolios:read; and scope scores:read",
    }
    assert "/api/v1/assess/<uuid:portfolio_id>" in shown.getvalue()
