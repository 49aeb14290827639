"""Ways to say that two answers are the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
from numpy.typing import ArrayLike


def same_json(before: bytes, after: bytes) -> bool:
    """Compare documents by what they say, whatever their spacing and key order."""
    parsed: Any = orjson.loads(before)
    return bool(parsed == orjson.loads(after))


def close_arrays(
    *, relative: float = 0.0, absolute: float = 0.0
) -> Callable[[ArrayLike, ArrayLike], bool]:
    """Make a check of equal shapes and close values; not-a-number is never close."""

    def check(before: ArrayLike, after: ArrayLike) -> bool:
        expected, found = np.asarray(before), np.asarray(after)
        return expected.shape == found.shape and bool(
            np.allclose(found, expected, rtol=relative, atol=absolute)
        )

    return check
