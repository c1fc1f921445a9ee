"""Counts of transitions: their rows, their sum, and what no counts can be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from slowthink.chains import TransitionCounts

MATRICES = st.integers(1, 6).flatmap(lambda n: hnp.arrays(np.int64, (2, n, n), elements=st.integers(0, 3)))


def sparse(matrix: np.ndarray) -> TransitionCounts:
    source, target = np.nonzero(matrix)
    return TransitionCounts(np.searchsorted(source, np.arange(len(matrix) + 1)), target, matrix[source, target])


@given(MATRICES)
def test_equal_the_dense_matrix(matrices: np.ndarray):
    one, other = map(sparse, matrices)
    np.testing.assert_array_equal(one.to_dense(), matrices[0])
    np.testing.assert_array_equal(one.row_sums(), matrices[0].sum(axis=1))
    np.testing.assert_array_equal((one + other).to_dense(), matrices.sum(axis=0))
    np.testing.assert_array_equal((one + other).to_scipy().todense(), matrices.sum(axis=0))
    assert one.total == matrices[0].sum()
    again = TransitionCounts(one.indptr, one.indices, one.counts)
    assert (again.indptr.dtype, again.indices.dtype, again.counts.dtype) == (np.int64, np.uint32, np.int64)


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        (([], [], []), "indptr must rise from 0 to the length of indices, 0"),
        (([0, 2], [0], [1]), "indptr must rise from 0 to the length of indices, 1"),
        (([0, 2, 1, 2], [0, 1], [1, 1]), "indptr must rise"),
        (([0, 1], [1], [1]), r"indices\[0\] must be below the number of states, 1, got 1"),
        (([0, 2, 2], [1, 1], [1, 1]), r"indices\[1\] must be above the one before it in its row, got 1"),
        (([0, 1, 2], [0, 0], [1]), r"counts must have the length of indices"),
        (([0, 1], [0], [-1]), r"counts\[0\] must be at least 0, got -1"),
        (([0, 1], [0.5], [1]), r"indices\[0\] must be a whole number"),
    ],
)
def test_what_is_no_count_is_named(arrays, text):
    with pytest.raises(ValueError, match=text):
        TransitionCounts(*arrays)


def test_counts_of_other_states_are_not_added():
    one, other = TransitionCounts([0, 0], [], []), TransitionCounts([0, 0, 0], [], [])
    with pytest.raises(ValueError, match="counts of 1 and of 2 states cannot be added"):
        one + other
    with pytest.raises(TypeError):
        one + 3  # type: ignore[operator]
