"""Lines of text out of bytes, in memory of a few lines."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator

BOM = b"\xef\xbb\xbf"
MAX_LINE_BYTES = 1 << 20
SURROGATE = re.compile("[\udc80-\udcff]")


class LineSource:
    """Iterates over decoded lines with their ends, in memory of a few lines.

    Bytes that are not UTF-8 come as lone surrogates. A line beyond
    `MAX_LINE_BYTES` is cut, and is then longer than that. `number` is the
    number of the last line given, from 1 on.
    """

    def __init__(
        self, pieces: Iterable[bytes], *, is_whole: Callable[[], bool] = lambda: True
    ) -> None:
        self.number = 0
        self._lines = _split_lines(pieces, is_whole)
        self._put_back: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._put_back:
            line = self._put_back.popleft()
        else:
            line = next(self._lines).decode("utf-8", "surrogateescape")
        self.number += 1
        return line

    def put_back(self, lines: list[str]) -> None:
        """Give these last lines out again."""
        self._put_back.extendleft(reversed(lines))
        self.number -= len(lines)


def _split_lines(
    pieces: Iterable[bytes], is_whole: Callable[[], bool]
) -> Iterator[bytes]:
    tail, is_first = b"", True
    for piece in pieces:
        lines = (tail + piece).splitlines(keepends=True)
        # The last line may go on in the next piece, and so may its end \r\n.
        tail = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        if len(tail) > MAX_LINE_BYTES:
            tail = tail[: MAX_LINE_BYTES + 1]
        if is_first and lines:
            lines[0], is_first = lines[0].removeprefix(BOM), False
        yield from lines
    # Where a file broke off, its last line may look whole and be cut.
    if tail and is_whole():
        yield tail.removeprefix(BOM) if is_first else tail
