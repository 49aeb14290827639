"""What people read of the schema: its introduction, its groups, its examples."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

INTRODUCTION: Final = """
Calibrated forecasts of located events: how likely one is, where and until when, and
what it would cost.

**Keys.** Send `Authorization: Bearer rp_…` or `X-API-Key: rp_…`. `manage.py
create_api_key` makes a key for an organisation with scopes; each operation says which
it needs. Public regions need none. A browser that is signed in is let in as well.

**Lists** are `results` and `next`. Give `next` as `after` to get the following page;
on the last one it is null. `limit` says how many rows a page has.

**Repeating a POST.** With the same `Idempotency-Key` (1 to 200 visible characters)
and the same body a POST is carried out once, and answered in the same way for a day.

**Changes.** A GET of one thing has an `ETag`; sent back as `If-Match`, a change is
made only to the state that you have seen.

**Errors** are `application/problem+json` (RFC 9457). `code` is for programs, `detail`
for people, `errors` points at fields; `type` is the address of a page about the code.

**Limits.** A caller who asks too often gets 429, an overloaded server 503;
`Retry-After` says when to ask again. A question whose answer would be too large is
422 and says what to ask instead.

**Times** are RFC 3339 with their offset, from 1900 to 2285; answers are in UTC, with
a Z. In an address a plus sign is written `%2B`.

**Cells** are indexes of H3, in hex or in decimal digits. Answers give them as text.

**Formats.** `format=` names one, else `Accept` chooses; JSON otherwise.
""".strip()
# In the order of use: what it is called in addresses, and what one does with it.
TAGS: Final = {
    "regions": "Where there are forecasts.",
    "risk-map": "How likely an event is, cell by cell.",
    "score-snapshot": "Chosen cells, with joint scenarios.",
    "events": "Send what happened, and read it back.",
    "reports": "Counts of events.",
    "features": "What models look at.",
    "portfolios": "Located, valued things that can be hurt.",
    "vulnerabilities": "How much of its value a thing loses in an event.",
    "assessments": "What a forecast would cost a portfolio.",
    "dashboard": "One portfolio at a glance.",
    "alert-rules": "Standing questions.",
    "alerts": "Answers to them that fired.",
    "webhooks": "Messages to your own server.",
    "ws-ticket": "Opening a socket.",
    "forecasts": "Which were made, and how they did.",
    "models": "Versions of models, and which one serves.",
    "metrics": "What was forecast beside what happened.",
    "jobs": "Work that takes longer than a request.",
}
# Operations that belong to a group of another name.
GROUPS: Final = {
    "assess": "assessments",
    "deliveries": "webhooks",
    "reload-model": "models",
}
PATH_TEXTS: Final = {
    "name": "Name of the report.",
    "slug": "Its slug.",
    "x": "Column of the tile.",
    "y": "Row of the tile, from the north.",
    "z": "Zoom, from 0 to 22.",
}
FORMAT: Final = "Format of the answer; by Accept else."


def group_operations(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Put each operation into one of the groups, and list these in their order."""
    for operation in _operations(result):
        operation["tags"] = [GROUPS.get(tag, tag) for tag in operation["tags"]]
    result["tags"] = [{"name": name, "description": TAGS[name]} for name in TAGS]
    return result


def describe_parameters(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say of what a path names, and of the format, what it is."""
    for operation in _operations(result):
        for parameter in operation.get("parameters", ()):
            name = parameter["name"]
            if parameter.get("description"):
                continue
            if name == "format":
                parameter["description"] = FORMAT
            elif parameter["in"] == "path":
                thing = name.removesuffix("_id").replace("_", " ")
                parameter["description"] = PATH_TEXTS.get(name, f"Id of the {thing}.")
    return result


def add_examples(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add what was really asked and answered, as a test finds it again."""
    for operation in _operations(result):
        example = examples().get(operation["operationId"])
        if example is None:
            continue
        for parameter in operation.get("parameters", ()):
            if parameter["name"] in example["query"]:
                parameter["example"] = example["query"][parameter["name"]]
        bodies = operation.get("requestBody", {}).get("content", {})
        if example["content_type"] in bodies and example["body"] is not None:
            bodies[example["content_type"]]["example"] = example["body"]
        answers = operation["responses"].get(str(example["status"]), {})
        json = answers.get("content", {}).get("application/json")
        if json is not None and example["answer"] is not None:
            json["example"] = example["answer"]
    return result


@cache
def examples() -> dict[str, Any]:
    """Give the example of each operation; a test writes them."""
    content = Path(__file__).with_name("examples.json").read_bytes()
    known: dict[str, Any] = msgspec.json.decode(content)
    return known


def _operations(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in result["paths"].values():
        yield from methods.values()
