"""Which suites there are, and how they are chosen."""

from collections.abc import Iterator

import pytest

from perf.bench.errors import BenchmarkError
from perf.bench.measurement import AnyMeasurement
from perf.bench.registry import Registry, discover_suites, registry


def nothing() -> Iterator[AnyMeasurement]:
    """Measure nothing.

    At great length.
    """
    yield from ()


@pytest.fixture
def suites() -> Registry:
    suites = Registry()
    for name in ("queries", "cache", "http"):
        suites.suite(name)(nothing)
    return suites


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("all", ["cache", "http", "queries"]),
        ("http", ["http"]),
        ("queries, cache,", ["queries", "cache"]),
        ("http,cache,http", ["http", "cache"]),
    ],
)
def test_suites_are_chosen_by_name_in_the_order_asked_for(
    suites: Registry, text: str, names: list[str]
) -> None:
    assert [suite.name for suite in suites.choose(text)] == names


def test_an_unknown_suite_is_refused_with_the_known_ones(suites: Registry) -> None:
    with pytest.raises(BenchmarkError) as refused:
        suites.choose("http,htpp")
    assert refused.value.message == (
        "There is no suite named htpp. Known suites: cache, http, queries."
    )


def test_naming_no_suite_is_not_a_pass(suites: Registry) -> None:
    with pytest.raises(BenchmarkError, match="Known suites: cache, http, queries"):
        suites.choose(" , ")


def test_all_of_no_suites_is_not_a_pass() -> None:
    with pytest.raises(BenchmarkError, match="Known suites: none"):
        Registry().choose("all")


@pytest.mark.parametrize("name", ["cache", "all"])
def test_a_name_is_taken_once(suites: Registry, name: str) -> None:
    with pytest.raises(BenchmarkError, match="the name is taken"):
        suites.suite(name)(nothing)


def test_the_description_is_the_first_line_of_the_docstring(suites: Registry) -> None:
    (suite,) = suites.choose("http")
    assert suite.description == "Measure nothing."


def test_the_suites_of_the_kit_are_found_and_found_again() -> None:
    discover_suites()
    first = dict(registry.suites)
    discover_suites()
    assert "rendering" in first
    assert registry.suites == first
