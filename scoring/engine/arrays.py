"""The array types that the engine passes around."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Cells = NDArray[np.uint64]
Flags = NDArray[np.bool_]
SparseMatrix = sparse.csr_array[np.float64, tuple[int, int]]


def product(matrix: SparseMatrix, values: Floats) -> Floats:
    """Sparse matrix times a vector or matrix, as a dense array."""
    return np.asarray(matrix @ values, dtype=np.float64)


def row_scaled(matrix: SparseMatrix, factors: Floats) -> SparseMatrix:
    """The matrix with row i multiplied by factors[i]."""
    repeated = np.repeat(factors, np.diff(matrix.indptr))
    parts = (matrix.data * repeated, matrix.indices, matrix.indptr)
    return sparse.csr_array(parts, shape=matrix.shape)
