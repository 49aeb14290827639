"""What a forecast says of its cells, as it is stored."""

import io

import numpy as np
import pytest

from scoring.arrays import (
    ForecastColumns,
    named_arrays,
    pack_columns,
    unpack_columns,
)
from scoring.engine.distributions import distribution_of

CELLS = np.arange(40, dtype=np.uint64)
MEAN = np.geomspace(1e-4, 3.0, CELLS.size)


@pytest.fixture
def columns() -> ForecastColumns:
    return ForecastColumns.of(CELLS, distribution_of(MEAN, 5.0, 0.3))


def test_columns_are_read_as_they_were_written(columns: ForecastColumns) -> None:
    found = unpack_columns(pack_columns(columns))

    for name, values in named_arrays(columns).items():
        np.testing.assert_array_equal(getattr(found, name), values)


def test_a_forecast_of_an_earlier_version_keeps_the_identities(
    columns: ForecastColumns,
) -> None:
    arrays = named_arrays(columns)
    del arrays["rate_variance"]
    # As such a forecast had it for quiet cells: below the probability.
    arrays["q95"] = 0.1 * columns.p_event
    stored = io.BytesIO()
    np.savez_compressed(stored, allow_pickle=False, **arrays)

    found = unpack_columns(stored.getvalue())

    np.testing.assert_array_equal(found.cells, CELLS)
    np.testing.assert_array_equal(found.p_event, columns.p_event)
    assert (found.q05 < found.p_event).all()
    assert (found.p_event < found.q95).all()
