"""Conversion of what users hand in: without loss, without a copy where it may be spared, or a named error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from slowthink import _arrays

INT_TYPES = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i4", ">u2", ">i8"]
FLOAT_TYPES = ["f2", "f4", "f8", ">f4", ">f8", "g"]


@given(hnp.arrays(st.sampled_from(INT_TYPES), hnp.array_shapes(min_dims=1, max_dims=2, min_side=0)))
def test_integers_keep_every_value_or_refuse(array: np.ndarray) -> None:
    fits = all(int(x) < 2**63 for x in array.ravel())
    if not fits:
        with pytest.raises(ValueError, match=r"counts\[.*\] must be below 2\*\*63"):
            _arrays.integers(array, "counts")
        return
    result = _arrays.integers(array, "counts")
    assert result.dtype == np.int64
    assert result.flags.c_contiguous
    assert result.tolist() == array.tolist()


@given(hnp.arrays(st.sampled_from(FLOAT_TYPES), hnp.array_shapes(min_dims=1, max_dims=2, min_side=0)))
def test_integers_take_whole_floats_and_name_the_first_other(array: np.ndarray) -> None:
    flat = [float(x) for x in array.ravel()]
    bad = [i for i, x in enumerate(flat) if not (np.isfinite(x) and x == int(x) and abs(x) < 2**63)]
    if bad:
        index = ", ".join(map(str, np.unravel_index(bad[0], array.shape)))
        with pytest.raises(ValueError, match=rf"counts\[{index}\] must be a whole number, got "):
            _arrays.integers(array, "counts")
    else:
        assert _arrays.integers(array, "counts").ravel().tolist() == [int(x) for x in flat]


@given(hnp.arrays(st.sampled_from(["f4", "f8", "i4", "u1"]), hnp.array_shapes(min_dims=2, max_dims=2)))
def test_a_matrix_is_not_copied(array: np.ndarray) -> None:
    for view in (array, array.T, array[::-1], array[:, ::2]):
        assert np.shares_memory(_arrays.matrix(view, "m"), array)


def test_whole_matrices_are_checked_and_not_copied() -> None:
    for dtype in ("f4", "f8", "i1", "u8"):
        array = np.arange(6).reshape(2, 3).astype(dtype)
        assert np.shares_memory(_arrays.matrix(array, "m", whole=True), array)
    for value in (0.5, np.nan, np.inf, 2.0**63):
        array = np.zeros((700, 800))
        array[650, 3] = value
        with pytest.raises(ValueError, match=r"m\[650, 3\] must be a whole number, got"):
            _arrays.matrix(array, "m", whole=True)
    with pytest.raises(ValueError, match=r"m\[1, 0\] must be below 2\*\*63, got 9223372036854775808"):
        _arrays.matrix(np.array([[0], [2**63]], np.uint64), "m", whole=True)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (None, TypeError, r"k must be a number, got None"),
        ("text", TypeError, r"k must be an array of numbers, got dtype <U4"),
        (["1"], TypeError, r"k must be an array of numbers, got dtype <U1"),
        ([1j], TypeError, r"k must be an array of numbers, got dtype complex128"),
        ([[1], [2, 3]], ValueError, r"k must be an array of numbers, got rows of unequal length"),
        ([1, None], TypeError, r"k\[1\] must be a number, got None"),
        ([[1, 2], [3, "x"]], TypeError, r"k must be an array of numbers, got dtype <U21"),
        (np.array([[1, "x"]], object), TypeError, r"k\[0, 1\] must be a number, got 'x'"),
        ([2**70], ValueError, r"k must hold numbers of at most 64 bits"),
        (np.ma.masked_array([1, 2], [False, True]), ValueError, r"k must not have masked entries"),
        (np.zeros(3, "M8[s]"), TypeError, r"k must be an array of numbers, got dtype datetime64\[s\]"),
        ([-1], ValueError, r"k\[0\] must be at least 0, got -1"),
        (np.zeros((2, 2, 2)), ValueError, r"k must be 0-D or 1-D, got shape \(2, 2, 2\)"),
    ],
)
def test_named_errors(value: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        _arrays.integers(value, "k", ndim=(0, 1), low=0)


def test_floats() -> None:
    assert _arrays.floats(np.array([1, 2**53], ">u8"), "x").tolist() == [1.0, 2.0**53]
    assert np.isnan(_arrays.floats([np.nan], "x", finite=False)).all()
    with pytest.raises(ValueError, match=r"x\[1\] must be finite, got nan"):
        _arrays.floats([0.0, np.nan], "x")
    with pytest.raises(ValueError, match=r"x\[0\] must be at most 1, got 1.5"):
        _arrays.floats([1.5], "x", low=0, high=1)
    # A bound says nothing about NaN, which `finite` decides.
    assert _arrays.floats([np.nan], "x", finite=False, low=0, high=1).shape == (1,)


def test_k_values() -> None:
    assert _arrays.k_values(None, 0)[0].tolist() == []
    assert _arrays.k_values([3.0, 1], 5)[0].tolist() == [3, 1]
    assert _arrays.k_values(np.int8(3), 5)[1]
    for k, error in [(0, ValueError), ([1, 0], ValueError), (True, TypeError), ("all", TypeError), (1.5, ValueError)]:
        with pytest.raises(error, match=r"\bk\b"):
            _arrays.k_values(k, 5)
    with pytest.raises(ValueError, match="k must be given where a problem has more than"):
        _arrays.k_values(None, 10**12)


def test_empty_objects_are_empty_numbers() -> None:
    assert _arrays.integers([], "k").dtype == np.int64
    assert _arrays.integers(np.zeros(0, object), "k").shape == (0,)
