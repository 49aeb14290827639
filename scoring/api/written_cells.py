"""Cells of forecasts as JSON, kept in memory: what is said of one never changes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from perf.cache.memory import ByteCache
from perf.deadlines import watched
from riskplatform.api.renderers import json_numbers
from scoring.arrays import ForecastColumns

MAX_BYTES: Final = 64 << 20
# An answer of more would drive the cells of others out.
MOST_ANSWER_BYTES: Final = 6 << 20


class WrittenCell(bytes):
    """A cell as JSON."""

    @property
    def nbytes(self) -> int:
        return len(self)


CELLS = ByteCache[WrittenCell]("written_cells", max_bytes=MAX_BYTES)


def write_once(
    form: bytes,
    cells: Sequence[int],
    write: Callable[[NDArray[np.int64]], Iterable[bytes]],
) -> list[WrittenCell]:
    """Give each cell as JSON: from memory, or written now.

    `form` says of which forecast a cell is and how it is written; `write` gives the
    cells at some positions, in this order.
    """
    keys = [(form, cell) for cell in cells]
    found = CELLS.get_many(keys)
    absent = [row for row, cell in enumerate(found) if cell is None]
    if absent:
        written = map(WrittenCell, watched(write(np.array(absent))))
        new = dict(zip(absent, written, strict=True))
        CELLS.put_many((keys[row], cell) for row, cell in new.items())
        found = [new.get(row, cell) for row, cell in enumerate(found)]
    return [cell for cell in found if cell is not None]


def columns_as_json(
    columns: ForecastColumns,
) -> Iterator[tuple[int, bytes, bytes, bytes, bytes]]:
    """Give each cell, its p_event and its three quantiles, all but the cell as JSON."""
    written = (columns.p_event, columns.q05, columns.q50, columns.q95)
    return zip(columns.cells.tolist(), *map(json_numbers, written), strict=True)
