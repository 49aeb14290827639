"""Forecasters as files: arrays and JSON in one archive, never code.

An artifact is an uncompressed zip archive. Its member `manifest.json` describes the
forecaster, every other member is one array in numpy's own format. The digest that
goes with it is the SHA-256 of the whole file; nothing is parsed before it agrees.
"""

import hashlib
import hmac
import io
import json
import zipfile
from dataclasses import fields, is_dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scoring.engine.calibration import Calibration
from scoring.engine.dispersion import Dispersion
from scoring.engine.errors import ArtifactError
from scoring.engine.features import feature_names
from scoring.engine.forecasters import FeatureModel, Forecaster
from scoring.engine.intervals import IntervalShift
from scoring.engine.models.registry import MODEL_TYPES
from scoring.engine.rate_uncertainty import RateUncertainty
from scoring.engine.recalibration import MeanCorrection
from scoring.engine.scenario_models import ScenarioModel
from scoring.engine.scenarios import SpatialCorrelation

FORMAT: Final = "riskplatform-forecaster"
FORMAT_VERSION: Final = 3
LARGEST_BYTES: Final = 256 * 1024 * 1024
MANIFEST: Final = "manifest.json"

_TYPES: Final[dict[str, type[Any]]] = {
    "Forecaster": Forecaster,
    "Calibration": Calibration,
    "Dispersion": Dispersion,
    "IntervalShift": IntervalShift,
    "MeanCorrection": MeanCorrection,
    "RateUncertainty": RateUncertainty,
    "ScenarioModel": ScenarioModel,
    "SpatialCorrelation": SpatialCorrelation,
    **{model.__name__: model for model in MODEL_TYPES},
}


def dump_artifact(forecaster: Forecaster) -> bytes:
    """Write a forecaster; the same forecaster always gives the same bytes."""
    arrays: dict[str, NDArray[Any]] = {}
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "kind": forecaster.kind,
        "forecaster": _encode(forecaster, arrays),
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        text = json.dumps(manifest, sort_keys=True, allow_nan=False)
        # A bare ZipInfo carries no date, so that the bytes repeat.
        archive.writestr(zipfile.ZipInfo(MANIFEST), text)
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(name), member.getvalue())
    return target.getvalue()


def digest_of(artifact: bytes) -> str:
    """SHA-256 of an artifact, as lower-case hexadecimal."""
    return hashlib.sha256(artifact).hexdigest()


def load_artifact(artifact: bytes, *, digest: str) -> Forecaster:
    """Read a forecaster back.

    Raises
    ------
    ArtifactError
        When the digest differs, or the content is not a forecaster of this version;
        the message says which.
    """
    if not hmac.compare_digest(digest_of(artifact), digest.lower()):
        raise ArtifactError(
            "The model artifact does not have the digest it was registered with: "
            "it is damaged or has been replaced. Register it again."
        )
    try:
        forecaster = _read(artifact)
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(
            "The model artifact is not a forecaster written by riskplatform: "
            f"{type(error).__name__}: {error}"
        ) from error
    _require_plausible(forecaster)
    return forecaster


def _read(artifact: bytes) -> Forecaster:
    with zipfile.ZipFile(io.BytesIO(artifact)) as archive:
        size_bytes = sum(member.file_size for member in archive.infolist())
        if size_bytes > LARGEST_BYTES:
            raise ArtifactError(
                f"The model artifact unpacks to {size_bytes} bytes; at most "
                f"{LARGEST_BYTES} are accepted."
            )
        manifest = json.loads(archive.read(MANIFEST))
        _require_format(manifest)
        arrays = {
            name: np.lib.format.read_array(
                io.BytesIO(archive.read(name)), allow_pickle=False
            )
            for name in archive.namelist()
            if name != MANIFEST
        }
    decoded = _decode(manifest["forecaster"], arrays)
    if not isinstance(decoded, Forecaster):
        raise ArtifactError("The model artifact does not describe a forecaster.")
    return decoded


def _require_format(manifest: Any) -> None:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ArtifactError("The file is no model artifact of riskplatform.")
    if manifest.get("format_version") != FORMAT_VERSION:
        raise ArtifactError(
            f"The model artifact has format {manifest.get('format_version')}, this "
            f"version reads format {FORMAT_VERSION}. Fit the model again."
        )


def _require_plausible(forecaster: Forecaster) -> None:
    if forecaster.feature_names != feature_names():
        raise ArtifactError(
            "The model artifact was fitted on other features than this version "
            "computes. Fit the model again."
        )
    if not isinstance(forecaster.model, FeatureModel):
        return
    probe = np.zeros((1, len(forecaster.feature_names)))
    try:
        mean = forecaster.predict(probe)
    except (ValueError, IndexError) as error:
        raise ArtifactError(f"The model artifact is inconsistent: {error}") from error
    if not (np.isfinite(mean).all() and (mean >= 0).all()):
        raise ArtifactError("The model artifact forecasts numbers that are not finite.")


def _encode(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        name = f"array{len(arrays)}.npy"
        arrays[name] = value
        return {"array": name}
    if isinstance(value, tuple):
        return {"tuple": [_encode(item, arrays) for item in value]}
    if is_dataclass(value):
        content = {
            item.name: _encode(getattr(value, item.name), arrays)
            for item in fields(value)
        }
        return {"type": type(value).__name__, "fields": content}
    return value


def _decode(node: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    if not isinstance(node, dict):
        return node
    if "array" in node:
        return arrays[node["array"]]
    if "tuple" in node:
        return tuple(_decode(item, arrays) for item in node["tuple"])
    if node["type"] not in _TYPES:
        raise ArtifactError(
            f"The model artifact holds a {node['type']!r}, which this version does "
            "not know. Upgrade, or fit the model again."
        )
    model = _TYPES[node["type"]]
    content = {name: _decode(item, arrays) for name, item in node["fields"].items()}
    return model(**content)
