"""Finished forecast tables on disk, so that a back-test goes on where it stopped."""

import hashlib
import io
import os
import shutil
import zlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Self

import msgspec
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
        body = zlib.decompress(path.read_bytes())
        return msgspec.msgpack.decode(body, type=ForecastTable, dec_hook=_read)

    def save(self, table: ForecastTable) -> None:
        """Write a table whole or not at all."""
        path = self._path(table.kind, int(table.horizon_s))
        # Two runs at once must not write into one file.
        unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
        body = msgspec.msgpack.encode(table, enc_hook=_written)
        unfinished.write_bytes(zlib.compress(body))
        unfinished.replace(path)

    def _path(self, kind: str, horizon_sec: int) -> Path:
        return self.folder / f"{kind}-{horizon_sec}.table"


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


def _written(array: Any) -> Any:
    if isinstance(array, np.generic):
        return array.item()
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


def _read(_: type, body: bytes) -> NDArray[Any]:
    array: NDArray[Any] = np.load(io.BytesIO(body), allow_pickle=False)
    return array
