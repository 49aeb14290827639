"""A small chart drawn as SVG: one frame, two axes, lines, bars, points and words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10
from typing import Any, Final

FRAME_WIDTH, HEIGHT = 600, 460
LEFT, RIGHT, TOP, BOTTOM = 78, 44, 66, 62
EDGE = LEFT + FRAME_WIDTH
N_TICKS = 6
# Names stand beside the frame, where they hide no data.
LETTER_WIDTH = 6.6
FLOOR = HEIGHT - BOTTOM
INK, SOFT, FAINT, PAPER = "#222222", "#555555", "#dddddd", "#ffffff"
# Distinct for people who see few colours (Okabe & Ito 2008).
PALETTE: Final = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7"),
    *("#e69f00", "#56b4e9", "#666666", "#000000"),
)
SHELL: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"
 width="{width}" height="{height}" role="img"
 font-family="system-ui, sans-serif" font-size="12" fill="#222222">
{body}
</svg>
"""

Point = tuple[float, float]
Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A range of values with its words; `ticks` pairs a value with what is printed."""

    label: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    is_log: bool = False

    def fraction(self, value: float) -> float:
        """Position of a value between the ends, held to the frame."""
        low, high, here = self.low, self.high, min(max(value, self.low), self.high)
        if self.is_log:
            low, high, here = log10(low), log10(high), log10(here)
        return (here - low) / ((high - low) or 1.0)


class Chart:
    """Collects marks in the coordinates of the data and writes them as SVG."""

    def __init__(self, title: str, *, note: str, x: Axis, y: Axis) -> None:
        self._x, self._y = x, y
        self._marks: list[str] = []
        self._legend: list[tuple[str, str]] = []
        self._head = [
            _tag("text", title, x=LEFT, y=26, font_size=16, font_weight=600),
            _tag("text", note, x=LEFT, y=47, font_size=12, fill=SOFT),
        ]

    def line(
        self,
        points: Iterable[Point],
        *,
        colour: str,
        name: str = "",
        width: float = 2.0,
        dash: str = "none",
    ) -> None:
        line = _tag(
            "polyline",
            points=self._coordinates(points),
            fill="none",
            stroke=colour,
            stroke_width=width,
            stroke_dasharray=dash,
            stroke_linejoin="round",
        )
        self._add([line], name, colour)

    def band(self, bounds: Sequence[Triple], *, colour: str, name: str = "") -> None:
        """Shade from `low` to `high` along x, given as (x, low, high)."""
        there = [(x, high) for x, _, high in bounds]
        back = [(x, low) for x, low, _ in reversed(bounds)]
        points = self._coordinates([*there, *back])
        band = _tag("polygon", points=points, fill=colour, fill_opacity=0.25)
        self._add([band], name, colour)

    def bars(self, bars: Iterable[Triple], *, colour: str, name: str = "") -> None:
        """Draw bars that stand on the x axis, given as (from, to, height)."""
        marks = []
        for start, end, height in bars:
            left, top = self._left(start) + 1, self._top(height)
            size: dict[str, Any] = {
                "width": self._left(end) - left - 1,
                "height": FLOOR - top,
            }
            marks.append(_tag("rect", x=left, y=top, fill=colour, **size))
        self._add(marks, name, colour)

    def points(
        self,
        points: Iterable[Point],
        *,
        colour: str,
        name: str = "",
        radius: float = 4.0,
    ) -> None:
        circles = [
            _tag("circle", cx=self._left(x), cy=self._top(y), r=radius, fill=colour)
            for x, y in points
        ]
        self._add(circles, name, colour)

    def label(self, x: float, y: float, words: str, *, is_below: bool = False) -> None:
        """Write to the upper left of a point, or to its lower right."""
        left, top = self._left(x), self._top(y)
        position: dict[str, Any] = {"x": left - 8, "y": top - 5, "text_anchor": "end"}
        if is_below:
            # Never under the frame, where the ticks are.
            position = {"x": left + 8, "y": min(top + 13, FLOOR - 5)}
        self._marks.append(_tag("text", words, font_size=10, fill=SOFT, **position))

    def name_all(self, colours: Mapping[str, str]) -> None:
        """Put names into the legend whose marks are drawn in another order."""
        self._legend += colours.items()

    def svg(self) -> str:
        longest = max((len(name) for name, _ in self._legend), default=0)
        width = round(EDGE + RIGHT + LETTER_WIDTH * longest)
        parts = [
            _tag("rect", width=width, height=HEIGHT, fill=PAPER),
            *self._head,
            *self._frame(),
            *self._marks,
            *self._legend_marks(),
        ]
        return SHELL.format(width=width, height=HEIGHT, body="\n".join(parts))

    def _left(self, value: float) -> float:
        return LEFT + self._x.fraction(value) * FRAME_WIDTH

    def _top(self, value: float) -> float:
        return FLOOR - self._y.fraction(value) * (FLOOR - TOP)

    def _coordinates(self, points: Iterable[Point]) -> str:
        return " ".join(f"{self._left(x):.1f},{self._top(y):.1f}" for x, y in points)

    def _add(self, marks: Iterable[str], name: str, colour: str) -> None:
        """Draw marks, and name them in the legend where they have a name."""
        self._marks += marks
        if name:
            self._legend.append((name, colour))

    def _frame(self) -> list[str]:
        marks = []
        for value, words in self._x.ticks:
            at = self._left(value)
            marks.append(_tag("line", x1=at, y1=TOP, x2=at, y2=FLOOR, stroke=FAINT))
            marks.append(_tag("text", words, x=at, y=FLOOR + 18, text_anchor="middle"))
        for value, words in self._y.ticks:
            at = self._top(value)
            marks.append(_tag("line", x1=LEFT, y1=at, x2=EDGE, y2=at, stroke=FAINT))
            marks.append(_tag("text", words, x=LEFT - 8, y=at + 4, text_anchor="end"))
        centred: dict[str, Any] = {"text_anchor": "middle", "font_size": 13}
        middle = (TOP + FLOOR) / 2
        upwards = f"translate(20 {middle:.1f}) rotate(-90)"
        return [
            *marks,
            _tag("line", x1=LEFT, y1=FLOOR, x2=EDGE, y2=FLOOR, stroke=INK),
            _tag("line", x1=LEFT, y1=TOP, x2=LEFT, y2=FLOOR, stroke=INK),
            _tag("text", self._x.label, x=(LEFT + EDGE) / 2, y=HEIGHT - 18, **centred),
            _tag("text", self._y.label, transform=upwards, **centred),
        ]

    def _legend_marks(self) -> list[str]:
        marks = []
        for row, (name, colour) in enumerate(self._legend):
            top = TOP + 12 + 20 * row
            key: dict[str, Any] = {"width": 16, "height": 6, "fill": colour}
            marks.append(_tag("rect", x=EDGE + 16, y=top - 7, **key))
            marks.append(_tag("text", name, x=EDGE + 38, y=top))
        return marks


def linear_axis(label: str, low: float, high: float) -> Axis:
    """Widen a range to round numbers and put ticks on them."""
    span = (high - low) or 1.0
    rough = span / (N_TICKS - 1)
    power = 10.0 ** floor(log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    first, last = floor(low / step), -floor(-high / step)
    values = [step * count for count in range(first, last + 1)]
    ticks = [(value, f"{value:.6g}") for value in values]
    return Axis(label=label, low=values[0], high=values[-1], ticks=ticks)


def _tag(name: str, words: str = "", /, **attributes: Any) -> str:
    pairs = ""
    for key, value in attributes.items():
        text = f"{value:.6g}" if isinstance(value, float) else escape(str(value))
        pairs += f' {key.replace("_", "-")}="{text}"'
    return f"<{name}{pairs}>{escape(words)}</{name}>"
