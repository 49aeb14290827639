"""Remembers which statements must be asked for their columns before they run."""

import re
import threading
from collections import OrderedDict

_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\b\d[\w.]*")
SHAPE_LENGTH = 2_000
MAX_SHAPES = 2_048


class ShapeMemory:
    """Statements that differ in their literals alone count as one shape.

    A wrong memory costs time, never a wrong answer: whoever uses it checks the rows.
    """

    def __init__(self) -> None:
        self._describe_first: OrderedDict[str, bool] = OrderedDict()
        self._lock = threading.Lock()

    def describes_first(self, sql: str) -> bool:
        """Tell whether to ask before running: yes for every shape not seen before."""
        shape = _shape(sql)
        with self._lock:
            if shape not in self._describe_first:
                return True
            self._describe_first.move_to_end(shape)
            return self._describe_first[shape]

    def remember(self, sql: str, *, describe_first: bool) -> None:
        with self._lock:
            self._describe_first[_shape(sql)] = describe_first
            if len(self._describe_first) > MAX_SHAPES:
                self._describe_first.popitem(last=False)


def _shape(sql: str) -> str:
    return _LITERAL.sub("?", sql[:SHAPE_LENGTH])
