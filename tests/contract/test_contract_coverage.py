"""The stories leave no operation of the schema out."""

from pathlib import Path

from tests.contract.operations import list_operations

STORIES = Path(__file__).parent.glob("test_contract_*.py")


def test_every_operation_of_the_schema_is_in_a_story() -> None:
    told = "".join(story.read_text(encoding="utf-8") for story in STORIES)
    names = {
        operation.definition.raw["operationId"]
        for operation in list_operations().values()
    }
    assert {name for name in names if f'"{name}"' not in told} == set()
