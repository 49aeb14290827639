"""Reads an SVG chart back: its words and its marks."""

from collections import Counter
from xml.etree import ElementTree as ET

NAMESPACE = "{http://www.w3.org/2000/svg}"


def words_of(svg: str) -> list[str]:
    return [text.text or "" for text in _root(svg).iter(f"{NAMESPACE}text")]


def marks_of(svg: str) -> Counter[str]:
    """Count the elements by name and colour: `circle #0072b2`."""
    return Counter(
        f"{mark.tag.removeprefix(NAMESPACE)} {colour}"
        for mark in _root(svg)
        if (colour := _colour(mark))
    )


def _root(svg: str) -> ET.Element:
    root = ET.fromstring(svg)  # noqa: S314 - written by the product a moment ago
    assert root.tag == f"{NAMESPACE}svg"
    return root


def _colour(mark: ET.Element) -> str | None:
    fill = mark.get("fill")
    return mark.get("stroke") if fill in {None, "none"} else fill
