"""Finished forecast tables on disk, so that a back-test goes on where it stopped."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Self, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

import scoring.engine
from scoring.engine.events import EventHistory
from scoring.engine.forecast_tables import ForecastTable
from scoring.engine.grid import Grid

LIBRARIES: Final = ("numpy", "scipy", "lightgbm")
MOST_KEPT: Final = 12
KEY_LENGTH: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TableStore:
    """Tables of one key of inputs, one file a model and horizon."""

    folder: Path

    @classmethod
    def open(cls, root: Path, *, key: str) -> Self:
        """Make the folder of a key, and let go of the oldest other ones."""
        folder = root / key
        folder.mkdir(parents=True, exist_ok=True)
        folder.touch()
        others = (path for path in root.iterdir() if path.is_dir() and path != folder)
        newest_first = sorted(others, key=lambda path: -path.stat().st_mtime)
        for path in newest_first[MOST_KEPT - 1 :]:
            shutil.rmtree(path, ignore_errors=True)
        return cls(folder=folder)

    def load(self, kind: str, horizon_sec: int) -> ForecastTable | None:
        path = self._path(kind, horizon_sec)
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as arrays:
            table: ForecastTable = _rebuilt(ForecastTable, dict(arrays), "")
        return table

    def save(self, table: ForecastTable) -> None:
        """Write a table whole or not at all."""
        path = self._path(table.kind, int(table.horizon_s))
        # Two runs at once must not write into one file.
        unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
        with unfinished.open("wb") as file:
            arrays = dict(_flattened(table, ""))
            np.savez_compressed(file, allow_pickle=False, **arrays)
        unfinished.replace(path)

    def _path(self, kind: str, horizon_sec: int) -> Path:
        return self.folder / f"{kind}-{horizon_sec}.npz"


def key_of_inputs(
    history: EventHistory, grid: Grid, *, timezone: str, plan: str
) -> str:
    """Digest everything a table depends on: data, plan, and the engine itself."""
    digest = hashlib.sha256()
    libraries = (f"{name} {version(name)}" for name in LIBRARIES)
    for part in (timezone, plan, engine_digest(), *libraries):
        digest.update(f"{part}\n".encode())
    events = (history.cell_index, history.occurred_s, history.arrived_s, history.weight)
    for array in (grid.cells, *events):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:KEY_LENGTH]


def engine_digest() -> str:
    """Digest the sources of the engine, which every figure depends on."""
    digest = hashlib.sha256()
    folder = Path(scoring.engine.__path__[0])
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:KEY_LENGTH]


def _flattened(value: Any, name: str) -> Iterator[tuple[str, NDArray[Any]]]:
    """Name every number and array inside a dataclass by its dotted path."""
    if is_dataclass(value):
        for item in fields(value):
            yield from _flattened(getattr(value, item.name), f"{name}.{item.name}")
    elif value is not None:
        yield name, np.asarray(value)


def _rebuilt(kind: Any, arrays: dict[str, NDArray[Any]], name: str) -> Any:
    """Make a dataclass again from the arrays under a dotted path."""
    hints = get_type_hints(kind)
    content = {}
    for item in fields(kind):
        path = f"{name}.{item.name}"
        nested = _dataclass_of(hints[item.name])
        if nested is not None and any(key.startswith(f"{path}.") for key in arrays):
            content[item.name] = _rebuilt(nested, arrays, path)
        elif path in arrays:
            content[item.name] = _plain(arrays[path], hints[item.name])
        else:
            content[item.name] = None
    return kind(**content)


def _dataclass_of(hint: Any) -> Any:
    candidates = (hint, *get_args(hint))
    return next((each for each in candidates if is_dataclass(each)), None)


def _plain(array: NDArray[Any], hint: Any) -> Any:
    if get_origin(hint) is tuple:
        return tuple(array.tolist())
    return array if array.ndim else array.item()
