"""Every command the documents name exists, with the options they name."""

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.test import Client

from riskplatform.api.keys.models import Organisation
from riskplatform.api.keys.services import issue_key
from scoring.models import Region

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md"),
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
)
FENCED = re.compile(r"```bash\n(.*?)```", re.DOTALL)
INLINE = re.compile(r"`((?:manage\.py|make) [^`]+)`")


def commands(program: str) -> list[str]:
    found = []
    for name in DOCUMENTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        blocks = [block.replace("\\\n", " ") for block in FENCED.findall(text)]
        lines = [line for block in blocks for line in block.splitlines()]
        found += [
            line.split(program, 1)[1].split("#")[0].strip()
            for line in [*lines, *INLINE.findall(text)]
            if program in line
        ]
    return sorted(set(found))


@pytest.mark.parametrize("line", commands("manage.py "))
def test_a_documented_management_command_exists_with_its_options(line: str) -> None:
    name, *words = shlex.split(line)
    command = load_command_class(get_commands()[name], name)
    parser = command.create_parser("manage.py", name)
    known = {option for action in parser._actions for option in action.option_strings}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("target", commands("make "))
def test_a_documented_make_target_exists(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE)


def test_the_readme_is_shorter_than_120_lines() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 120


def test_every_variable_that_settings_read_is_documented() -> None:
    settings = (ROOT / "riskplatform/settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r"env_\w+\(\s*\"([A-Z_]+)\"", settings))
    documented = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert {name for name in names if f"`{name}`" not in documented} == set()


@pytest.mark.django_db
def test_the_requests_of_the_readme_are_answered(
    published_forecast: Region, stranger: Client
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    asked = re.findall(r"curl 'http://127\.0\.0\.1:8000(.*?)'", readme)
    posted = re.findall(
        r"curl -X POST http://[^/]+(\S+) .*?-d '(.*?)'", readme, re.DOTALL
    )
    assert (len(asked), len(posted)) == (1, 2)
    acme = Organisation.objects.create(slug="acme", name="acme")
    key = issue_key(acme, name="feed", scopes=["events:write"]).text.text
    for address in asked:
        assert stranger.get(address).status_code == 200
    for address, body in posted:
        response = stranger.post(
            address,
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        assert response.status_code in {200, 202}
