"""The operations of the schema, to be asked in the process of the test."""

import json
from typing import Any

import schemathesis
from drf_spectacular.generators import SchemaGenerator
from schemathesis.schemas import APIOperation

from riskplatform.wsgi import application


def list_operations() -> dict[str, APIOperation[Any, Any, Any, Any]]:
    """Give every operation by its label, such as `GET /api/v1/regions`."""
    raw = SchemaGenerator().get_schema(request=None, public=True)
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(raw, default=str)))
    schema.app = application
    found: Any = schema.get_all_operations()
    return {result.ok().label: result.ok() for result in found}
