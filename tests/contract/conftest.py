"""A typed client, made from the schema and nothing else."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from drf_spectacular.generators import SchemaGenerator
from pytest_django.live_server_helper import LiveServer

from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.services import issue_key
from tests.contract.walking import Caller, Cast, operations_of
from tests.support.factories import make_organisation

PACKAGE = "riskplatform_client"


@pytest.fixture(scope="session")
def client_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate the client as a user would, and give the folder of its package."""
    folder = tmp_path_factory.mktemp("client")
    schema = folder / "schema.json"
    raw = SchemaGenerator().get_schema(request=None, public=True)
    schema.write_text(json.dumps(raw, default=str), encoding="utf-8")
    target = folder / PACKAGE
    subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate"),
            *("--path", str(schema), "--meta", "none", "--output-path", str(target)),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return target


@pytest.fixture(scope="session")
def client_module(client_package: Path) -> ModuleType:
    """Import the generated package, under its own name."""
    spec = importlib.util.spec_from_file_location(
        PACKAGE, client_package / "__init__.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def cast(
    client_module: ModuleType, client_package: Path, live_server: LiveServer
) -> Cast:
    """Give the people of the stories; what they know is the schema."""
    schema = json.loads((client_package.parent / "schema.json").read_text("utf-8"))
    operations = operations_of(schema, package=client_module.__name__)

    def caller(slug: str, scopes: Sequence[str]) -> Caller:
        issued = issue_key(make_organisation(slug), name="walk", scopes=scopes)
        return replace(nobody, key=issued.text.text)

    nobody = Caller(
        url=live_server.url,
        key=None,
        package=client_module.__name__,
        operations=operations,
    )
    return Cast(
        acme=caller("acme", Scope.values),
        other=caller("other", Scope.values),
        feed=caller("acme", [Scope.EVENTS_WRITE]),
        reader=caller("acme", [Scope.SCORES_READ]),
        nobody=nobody,
    )
