"""Turns what is wrong with the rows of a chunk into rejections people can read."""

from dataclasses import dataclass

from analytics.ingest.chunk_work import ChunkResult
from analytics.ingest.chunks import Chunk
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.rejections import Fault, Rejection, RejectionCode, shown
from analytics.ingest.storage import StoredEvents

MAX_VALUE_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """Knows the file and its columns, so that rejections can name them."""

    file: str
    column_map: ColumnMap
    columns: dict[str, int]

    def of_chunk(
        self, chunk: Chunk, result: ChunkResult, stored: StoredEvents
    ) -> list[Rejection]:
        """Give the refused rows in the order of the file.

        `stored` tells what became of the doubtful events.
        """
        refused = [
            self._rejection(number, bad.fault, bad.column, bad.value)
            for number, bad in chunk.bad
        ]
        for place, (field, fault) in result.faults.items():
            value = chunk.rows[place][self.columns[field]].strip()
            refused.append(self._at(chunk.numbers[place], field, fault, value))
        for event in stored.conflict_places.tolist():
            row = int(result.doubtful_places[event])
            external_id = result.doubtful.external_id[event]
            has_id = "external_id" in self.column_map.columns
            fault = _conflict(external_id) if has_id else IMPORTED_DIFFERENTLY
            refused.append(
                self._at(chunk.numbers[row], "external_id", fault, external_id)
            )
        return sorted(refused, key=lambda rejection: rejection.row)

    def of_break(self, row: int, fault: Fault) -> Rejection:
        return self._rejection(row, fault, None, None)

    def _at(self, row: int, field: str, fault: Fault, value: str) -> Rejection:
        return self._rejection(row, fault, self.column_map.columns.get(field), value)

    def _rejection(
        self, row: int, fault: Fault, column: str | None, value: str | None
    ) -> Rejection:
        return Rejection(
            file=self.file,
            row=row,
            column=column,
            code=fault.code,
            reason=fault.reason,
            value=value and value[:MAX_VALUE_CHARS],
        )


IMPORTED_DIFFERENTLY = Fault(
    RejectionCode.CONFLICTING_ID,
    "this row was imported before with another time or place: the time zone or the"
    " column map was another one then. An import corrects nothing.",
)


def _conflict(external_id: str) -> Fault:
    return Fault(
        RejectionCode.CONFLICTING_ID,
        f"the id {shown(external_id)} already stands for an event at another time or"
        " place. Ids must be unique within a source; an import corrects nothing.",
    )
