"""Rows out of Parquet, a batch of columns at a time."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from analytics.errors import EventFileError
from analytics.ingest.arrow_columns import ArrowColumns, point_of
from analytics.ingest.column_map import ColumnMap, parts_of
from analytics.ingest.rows import BadRow, NumberedRow, RowReader
from analytics.ingest.rules import NUL, Fault, RowCode
from analytics.ingest.unpacking import open_binary
from riskplatform.kernel.arrow import load_arrow

BATCH_ROWS = 10_000
PURPOSE = "A Parquet file"
BAD_TEXT = BadRow(NUL)
GEOMETRY = ("@lon", "@lat")


class ParquetRows(RowReader):
    """Reads values as the texts that a CSV file would have; rows count from 1."""

    def __init__(self, path: Path, column_map: ColumnMap) -> None:
        super().__init__()
        self.name = path.name
        self._arrow = load_arrow(purpose=PURPOSE)
        self._file = _open(path)
        names: list[str] = self._file.schema_arrow.names
        self._geometry = _geometry_of(self._file, file_name=self.name)
        mapped = {
            part
            for column in column_map.columns.values()
            for part in parts_of(column, names)
        }
        self._columns = ArrowColumns(mapped)
        nested = [name for name in mapped if self._is_nested(name, names)]
        every = [*names, *sorted(nested)]
        if "external_id" in column_map.columns and mapped <= set(every):
            # Only a row of a file without ids is named by all that it says.
            every = [name for name in every if name in mapped]
        self.header = every
        self.identity = sorted(range(len(every)), key=lambda index: every[index])

    def _is_nested(self, name: str, names: list[str]) -> bool:
        """Say whether a mapped name is a part of a column: `a.b`, or of a point."""
        if name in GEOMETRY:
            return self._geometry is not None
        return name not in names and name.partition(".")[0] in names

    @property
    def names(self) -> list[str]:
        """The columns, with `a.b` for the parts of structures."""
        kinds = self._arrow.types
        return [
            name
            for column in self._file.schema_arrow
            for name in (
                [f"{column.name}.{part.name}" for part in column.type]
                if kinds.is_struct(column.type)
                else [column.name]
            )
        ]

    @property
    def fraction(self) -> float:
        row_count: int = self._file.metadata.num_rows
        return self.number / max(row_count, 1)

    def close(self) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[NumberedRow]:
        known = self._file.schema_arrow.names
        roots = {
            str(self._geometry) if name in GEOMETRY else name.partition(".")[0]
            for name in self.header
            if name not in known
        }
        wanted = roots | {name for name in self.header if name in known}
        batches = self._file.iter_batches(
            batch_size=BATCH_ROWS, columns=sorted(wanted, key=known.index)
        )
        while True:
            try:
                batch = next(batches, None)
            except (OSError, ValueError) as error:
                self.fault = Fault(
                    RowCode.CORRUPT_FILE,
                    f"the Parquet file is damaged from about here on ({error})."
                    " Fetch the file again and repeat the import.",
                )
                return
            if batch is None:
                return
            self.char_count += batch.nbytes
            yield from self._rows(batch)

    def _rows(self, batch: Any) -> Iterator[NumberedRow]:
        columns = [self._column(batch, name) for name in self.header]
        may_hold_nul = any("\0" in "".join(column) for column in columns)
        for fields in zip(*columns, strict=True):
            self.number += 1
            bad = may_hold_nul and "\0" in "".join(fields)
            yield self.number, BAD_TEXT if bad else list(fields)

    def _column(self, batch: Any, name: str) -> list[str]:
        if name in batch.schema.names:
            return self._columns.texts(batch.column(name), name)
        if name in GEOMETRY:
            points = map(point_of, batch.column(self._geometry).to_pylist())
            index = GEOMETRY.index(name)
            return ["" if point is None else repr(point[index]) for point in points]
        part = self._part(batch, name)
        return [""] * len(batch) if part is None else self._columns.texts(part, name)

    def _part(self, batch: Any, name: str) -> Any:
        """Give the column `a.b` out of the structure a; None where it has no b."""
        compute = load_arrow("pyarrow.compute", purpose=PURPOSE)
        root, *path = name.split(".")
        column = batch.column(root)
        for part in path:
            is_struct = self._arrow.types.is_struct(column.type)
            index = column.type.get_field_index(part) if is_struct else -1
            if index < 0:
                return None
            column = compute.struct_field(column, index)
        return column


def _geometry_of(file: Any, *, file_name: str) -> str | None:
    """Name the column of places of a GeoParquet file; they have to be in degrees."""
    text = (file.schema_arrow.metadata or {}).get(b"geo")
    if text is None:
        return None
    try:
        described = json.loads(text)
    except ValueError:
        return None
    if not isinstance(described, dict):
        return None
    name = str(described.get("primary_column", "geometry"))
    column = described.get("columns", {}).get(name, {})
    crs = column.get("crs") or {}
    code = str((crs.get("id") or {}).get("code", "CRS84"))
    if code not in {"CRS84", "4326", "4269", "4258", "4979"}:
        raise EventFileError(
            f"{file_name} has its places in the coordinates EPSG:{code}, not in"
            " degrees. Convert it first: ogr2ogr -t_srs EPSG:4326 OUT.gpkg IN.",
            file=file_name,
        )
    return name if name in file.schema_arrow.names else None


def _open(path: Path) -> Any:
    parquet = load_arrow("pyarrow.parquet", purpose=PURPOSE)
    open_binary(path).close()
    try:
        return parquet.ParquetFile(path)
    except (OSError, ValueError) as error:
        first = next(islice(str(error).splitlines(), 1), "").rstrip(".")
        raise EventFileError(
            f"{path.name} cannot be read as Parquet ({first}).", file=path.name
        ) from None
