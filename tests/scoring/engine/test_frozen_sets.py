import os
from pathlib import Path

import numpy as np
import pytest

from scoring.engine.errors import EngineError
from scoring.engine.frozen_sets import FROZEN_SETS, load_frozen_set
from scoring.engine.state import DAY_S

FOLDER = os.environ.get("RISKPLATFORM_DATA", "")
needs_sets = pytest.mark.skipif(
    not Path(FOLDER).is_dir() or not FOLDER,
    reason="RISKPLATFORM_DATA names no folder with the frozen event sets",
)


def test_says_what_is_absent(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="san_jacinto is absent"):
        load_frozen_set(tmp_path, "san_jacinto")
    with pytest.raises(EngineError, match="No set is called 'atlantis'"):
        load_frozen_set(tmp_path, "atlantis")


@needs_sets
@pytest.mark.slow
@pytest.mark.parametrize("name", FROZEN_SETS)
def test_the_last_fifth_of_the_span_is_the_test_block(name: str) -> None:
    frozen = load_frozen_set(Path(FOLDER), name)

    first_s, last_s = frozen.history.occurred_s[[0, -1]]
    assert (frozen.split_s - first_s) / (last_s - first_s) == pytest.approx(0.8)
    assert frozen.n_origins(DAY_S) == int((last_s - frozen.split_s) // DAY_S)
    assert frozen.history.n_outside < 0.01 * len(frozen.history)
    assert len(np.unique(frozen.history.cell_index)) > 100
