"""The operations of the schema, to be asked in the process of the test."""

import json

import schemathesis
from drf_spectacular.generators import SchemaGenerator
from schemathesis.schemas import APIOperation

from riskplatform.wsgi import application


def list_operations() -> dict[str, APIOperation]:
    """Give every operation by its label, such as `GET /api/v1/regions`."""
    raw = SchemaGenerator().get_schema(request=None, public=True)
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(raw, default=str)))
    schema.app = application
    found = (result.ok() for result in schema.get_all_operations())
    return {operation.label: operation for operation in found}
