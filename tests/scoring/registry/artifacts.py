"""Artifacts of a real forecaster, whole and damaged."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

Arrays = dict[str, Any]
Change = Callable[[dict[str, Any], Arrays], None]


def rewritten(artifact: bytes, change: Change) -> bytes:
    """Change the content and write it with right checksums: only the sense is lost."""
    with zipfile.ZipFile(io.BytesIO(artifact)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        arrays = {
            name: np.load(io.BytesIO(archive.read(name)))
            for name in archive.namelist()
            if name != "manifest.json"
        }
    change(manifest, arrays)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array)
            archive.writestr(name, member.getvalue())
    return target.getvalue()


def fields_of(manifest: dict[str, Any], kind: str) -> dict[str, Any]:
    """Find the fields of the first part of a type."""
    waiting = [manifest["forecaster"]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict) and node.get("type") == kind:
            fields: dict[str, Any] = node["fields"]
            return fields
        if isinstance(node, dict):
            waiting += list(node.get("fields", {}).values()) + node.get("tuple", [])
    raise LookupError(kind)


def trees_that_never_end(manifest: dict[str, Any], arrays: Arrays) -> None:
    del arrays
    fields_of(manifest, "BoostedPoisson")["depth"] = 10**12


def trees_that_point_outside(manifest: dict[str, Any], arrays: Arrays) -> None:
    arrays[fields_of(manifest, "BoostedPoisson")["left"]["array"]][:] = 10**9


def values_that_are_no_numbers(manifest: dict[str, Any], arrays: Arrays) -> None:
    arrays[fields_of(manifest, "BoostedPoisson")["value"]["array"]][:] = np.nan


def arrays_of_another_shape(manifest: dict[str, Any], arrays: Arrays) -> None:
    del manifest
    for name in arrays:
        arrays[name] = arrays[name].ravel()[:1]


def a_type_that_nobody_knows(manifest: dict[str, Any], arrays: Arrays) -> None:
    del arrays
    manifest["forecaster"]["type"] = "os.system"


def no_scenario_model(manifest: dict[str, Any], arrays: Arrays) -> None:
    del arrays
    manifest["forecaster"]["fields"]["scenario_model"] = None


def a_horizon_that_is_no_number(manifest: dict[str, Any], arrays: Arrays) -> None:
    del arrays
    manifest["forecaster"]["fields"]["horizon_s"] = "tomorrow"


SENSELESS: tuple[Change, ...] = (
    trees_that_never_end,
    trees_that_point_outside,
    values_that_are_no_numbers,
    arrays_of_another_shape,
    a_type_that_nobody_knows,
    no_scenario_model,
    a_horizon_that_is_no_number,
)
