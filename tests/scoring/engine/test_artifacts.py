import io
import json
import zipfile

import numpy as np
import pytest

from scoring.engine.artifacts import (
    FORMAT_VERSION,
    MANIFEST,
    digest_of,
    dump_artifact,
    load_artifact,
)
from scoring.engine.errors import ArtifactError
from scoring.engine.fitting import fit_forecaster
from scoring.engine.forecasters import Forecaster
from scoring.engine.snapshots import walk_snapshots
from scoring.engine.state import DAY_S
from tests.scoring.engine.regions import START_S, TIMEZONE, make_grid, make_history

GRID = make_grid(radius=3)
HISTORY = make_history(GRID, n_days=200)
UNTIL_S = START_S + 200 * DAY_S


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    return fit_forecaster(
        HISTORY, GRID, horizon_s=DAY_S, timezone=TIMEZONE, until_s=UNTIL_S
    )


def test_what_is_loaded_forecasts_the_same(forecaster: Forecaster) -> None:
    artifact = dump_artifact(forecaster)

    loaded = load_artifact(artifact, digest=digest_of(artifact))

    snapshot = next(walk_snapshots(HISTORY, GRID, [UNTIL_S], timezone=TIMEZONE))
    before, after = (f.distribution_at(snapshot) for f in (forecaster, loaded))
    for name in ("mean", "alpha", "rate_variance", "p_event", "q05", "q50", "q95"):
        assert np.array_equal(getattr(before, name), getattr(after, name))
    assert loaded.name == "ensemble@86400s"
    assert loaded.fitted_until_s == UNTIL_S


def test_the_same_forecaster_gives_the_same_bytes(forecaster: Forecaster) -> None:
    artifact = dump_artifact(forecaster)
    loaded = load_artifact(artifact, digest=digest_of(artifact))

    assert dump_artifact(loaded) == artifact


def test_refuses_a_single_changed_byte(forecaster: Forecaster) -> None:
    artifact = bytearray(dump_artifact(forecaster))
    digest = digest_of(bytes(artifact))
    artifact[len(artifact) // 2] ^= 1

    with pytest.raises(ArtifactError, match="damaged or has been replaced"):
        load_artifact(bytes(artifact), digest=digest)


@pytest.mark.parametrize("artifact", [b"", b"tree\nversion=v4\n", b"PK\x03\x04rest"])
def test_refuses_a_foreign_file(artifact: bytes) -> None:
    with pytest.raises(ArtifactError, match="not a forecaster written by"):
        load_artifact(artifact, digest=digest_of(artifact))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "other"}, "no model artifact of riskplatform"),
        ({"format_version": FORMAT_VERSION + 1}, "Fit the model again"),
        ({"forecaster": {"type": "Popen", "fields": {}}}, "does not know"),
        ({"forecaster": {"type": "Calibration", "fields": {}}}, "not describe"),
        ({"forecaster": {"type": "Forecaster", "fields": {}}}, "not a forecaster"),
        ({"forecaster": {"array": "missing"}}, "not a forecaster"),
    ],
)
def test_refuses_another_content(
    forecaster: Forecaster, change: dict[str, object], reason: str
) -> None:
    artifact = _with_manifest(dump_artifact(forecaster), change)

    with pytest.raises(ArtifactError, match=reason):
        load_artifact(artifact, digest=digest_of(artifact))


def test_refuses_pickled_arrays(forecaster: Forecaster) -> None:
    pickled = io.BytesIO()
    np.save(pickled, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    artifact = _with_member(dump_artifact(forecaster), "array0.npy", pickled.getvalue())

    with pytest.raises(ArtifactError, match="allow_pickle=False"):
        load_artifact(artifact, digest=digest_of(artifact))


def test_refuses_arrays_that_do_not_fit(forecaster: Forecaster) -> None:
    short = io.BytesIO()
    np.save(short, np.ones(3))
    artifact = _with_member(dump_artifact(forecaster), "array0.npy", short.getvalue())

    with pytest.raises(ArtifactError, match="inconsistent"):
        load_artifact(artifact, digest=digest_of(artifact))


def _with_manifest(artifact: bytes, change: dict[str, object]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(artifact)) as archive:
        manifest = json.loads(archive.read(MANIFEST))
    text = json.dumps({**manifest, **change})
    return _with_member(artifact, MANIFEST, text.encode())


def _with_member(artifact: bytes, changed: str, content: bytes) -> bytes:
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(artifact)) as source,
        zipfile.ZipFile(target, "w") as archive,
    ):
        for name in source.namelist():
            archive.writestr(name, content if name == changed else source.read(name))
    return target.getvalue()
