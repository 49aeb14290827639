"""Numbers of event files: plain decimal texts in, finite floats out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analytics.ingest.rejections import Fault, Faults, RejectionCode, shown

FloatArray = NDArray[np.float64]


def parse_numbers(
    texts: Sequence[str], *, is_required: bool
) -> tuple[FloatArray, Faults]:
    """Read numbers; NaN stands where one is missing or at fault."""
    values = _read_all(texts)
    if values is not None and bool(np.isfinite(values).all()):
        return values, {}
    return _read_each(texts, is_required=is_required)


def _read_all(texts: Sequence[str]) -> FloatArray | None:
    joined = "".join(texts)
    # float() takes 1_000 and digits of other scripts; a file means neither.
    if "_" in joined or not joined.isascii():
        return None
    try:
        return np.array(list(map(float, texts)), dtype=np.float64)
    except ValueError:
        return None


def _read_each(texts: Sequence[str], *, is_required: bool) -> tuple[FloatArray, Faults]:
    values = np.full(len(texts), np.nan)
    faults: Faults = {}
    for place, text in enumerate(texts):
        if not text and not is_required:
            continue
        number = _read(text)
        if isinstance(number, Fault):
            faults[place] = number
        else:
            values[place] = number
    return values, faults


def _read(text: str) -> float | Fault:
    if not text:
        return Fault(RejectionCode.MISSING_VALUE, "the number is missing.")
    try:
        number = float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        number = None
    if number is None:
        return Fault(RejectionCode.BAD_NUMBER, _not_a_number(text))
    if not np.isfinite(number):
        return Fault(
            RejectionCode.NOT_FINITE,
            f"{shown(text)} is not a finite number. Leave unknown numbers empty.",
        )
    return number


def _not_a_number(text: str) -> str:
    if "," in text:
        return f"{shown(text)} is not a number. Use a point as the decimal sign."
    return f"{shown(text)} is not a number."
