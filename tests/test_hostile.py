"""What users hand in by mistake: every public function answers rightly or names the argument that is wrong.

`CASES` holds one small valid call of each public function. A function without a case fails the test, so that a new
kernel is fed with all of this from its first day.
"""

from __future__ import annotations

import functools
import inspect
import re
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import parts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slowthink import samples

COUNTS = {"num_samples": np.array([4, 7, 9]), "num_correct": np.array([0, 3, 9])}
ANSWERS = np.array([[0, 1, 1, 2, 0, 1], [2, 2, 0, 1, 1, 2], [0, 0, 0, 1, 2, 3]])
GOLD = np.array([1, 2, 0])
SCORES = np.array([[3.0, 1.0, 2.0, 2.0, 5.0, 0.0], [1.0, 1.0, 4.0, 2.0, 2.0, 2.0], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]])
CORRECT = np.array([[1.0, 0.0, 1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]])
WINS = np.array([[0, 8, 9], [4, 0, 7], [6, 5, 0]])
TIES = np.array([[0, 1, 2], [1, 0, 3], [2, 3, 0]])

N_ROWS = 12
COLUMNS = {
    "problem": np.arange(N_ROWS) % 3,
    "answer": np.arange(N_ROWS) % 5,
    "gold": np.array([0, 1, 2] * 4),
    "correct": np.arange(N_ROWS) % 2,
    "score": np.linspace(0.0, 2.75, N_ROWS),
    "cost": np.arange(N_ROWS),
    "cluster": np.array([0, 1, 1] * 4),
}
LOG = samples.SampleLog(**COLUMNS)
CURVE = LOG.curve("pass@k")


def log_numbers(**columns: Any) -> tuple[Any, ...]:
    """What a log knows of its columns, but for the labels, which keep the type they came in."""
    log = samples.SampleLog(**columns)
    return log.num_samples, log.correct, log.score, log.cost, log.counts, log.n_unanswered


@functools.wraps(samples.Curve.from_values)  # for the names of its parameters
def curve_numbers(**arguments: Any) -> tuple[Any, ...]:
    """What a curve knows, but for the labels of its problems."""
    curve = samples.Curve.from_values(**arguments)
    return curve.k, curve.mean, curve.standard_error, curve.low, curve.high, curve.n_used, curve.per_problem


CASES: dict[str, dict[str, Any]] = {
    "SampleLog": COLUMNS,
    "SampleLog.curve": {"metric": "pass@k", "k": np.array([1, 2])},
    "SampleLog.filter": {"rows": np.arange(N_ROWS) > 3},
    "best_of_k": {"scores": SCORES, "values": CORRECT},
    "best_of_n_probability": {"p": np.array([0.25, 0.5, 0.25]), "n": np.array([1, 5])},
    "Curve.from_values": {
        "values": SCORES,
        "k": np.arange(1, 7),
        "problems": np.array([4, 5, 6]),
        "cluster": np.array([0, 1, 1]),
    },
    "bootstrap_means": {"values": SCORES, "n_resamples": 5, "cluster": np.array([0, 1, 1]), "rng": 1},
    "bradley_terry": {
        "wins": WINS,
        "ties": TIES,
        "confidence": 0.9,
        "interval": "bootstrap",
        "n_resamples": 5,
        "rng": 1,
    },
    "compare": {"curve_a": CURVE, "curve_b": CURVE, "rng": 1, "n_resamples": 50},
    "extrapolate_pass_at_k": {**COUNTS, "k": np.array([8, 64])},
    "g_pass_at_k": {**COUNTS, "k": np.array([1, 2, 4]), "tau": 0.5},
    "hedge": {"losses": np.array([[0.0, 1.0, 0.5], [1.0, 0.25, 0.0]])},
    "holm": {"p_values": np.array([0.0, 0.5, 0.125])},
    "maj_at_k": {"answers": ANSWERS, "gold": GOLD},
    "mcnemar": {"correct_a": np.array([1, 1, 0, 1]), "correct_b": np.array([0, 1, 1, 0])},
    "mean_pass_at_k": COUNTS,
    "mg_pass_at_k": COUNTS,
    "pass_at_k": COUNTS,
    "pass_hat_k": COUNTS,
    "plurality_probability": {"p": np.array([0.5, 0.25, 0.25]), "n": np.array([1, 5])},
    "reward_model_metrics": {"scores": SCORES, "correct": CORRECT, "n_orders": 5, "n_resamples": 5, "rng": 1},
    "roc_auc": {"scores": SCORES, "correct": CORRECT},
    "samples_needed": {"p": np.array([0.5, 0.25, 0.25])},
    "should_stop": {"counts": np.array([[7, 1, 0], [3, 3, 1]])},
    "stopping_probability": {"counts": np.array([[7, 1, 0], [3, 3, 1]])},
    "weighted_maj_at_k": {"answers": ANSWERS, "weights": SCORES, "gold": GOLD, "n_resamples": 70, "rng": 1},
    "win_matrix": {
        "model_a": np.array([1, 2, 4]),
        "model_b": np.array([2, 4, 1]),
        "outcome": np.array([1.0, 0.5, 0.0]),
    },
}
"""A small valid call of each public function; its array arguments are arrays here."""

BOUND = {
    "Curve.from_values": curve_numbers,
    "SampleLog": log_numbers,
    "SampleLog.curve": LOG.curve,
    "SampleLog.filter": LOG.filter,
}
"""How a case is called that is not a function of its name."""

MADE_BY_US = {
    "BradleyTerry",
    "Comparison",
    "ComparisonPoint",
    "Curve",
    "CurvePoint",
    "Extrapolation",
    "HedgeResult",
    "RewardModelMetrics",
}
"""Public classes that only functions of ours construct."""

PUBLIC = sorted(name for name in samples.__all__ if callable(getattr(samples, name)))


def test_every_public_function_is_fed() -> None:
    fed = {name for name in CASES if "." not in name}
    assert set(PUBLIC) - MADE_BY_US == fed, "a new public function needs a case in CASES, and an old one none"


def call(name: str, arguments: dict[str, Any]) -> Any:
    if name == "SampleLog.filter":  # its first parameter has no name to call it by
        return LOG.filter(arguments["rows"]).num_samples
    return BOUND.get(name, getattr(samples, name, None))(**arguments)


def array_arguments(name: str) -> list[str]:
    return [key for key, value in CASES[name].items() if isinstance(value, np.ndarray)]


def parameters(name: str) -> list[str]:
    function = BOUND[name] if "." in name else getattr(samples, name)
    listed = inspect.signature(function).parameters.values()
    return [parameter.name for parameter in listed if parameter.kind is not parameter.VAR_KEYWORD]


# --- the same numbers in another dress


def _strided(array: np.ndarray) -> np.ndarray:
    wide = np.zeros([2 * n for n in array.shape], array.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def _reversed(array: np.ndarray) -> np.ndarray:
    axes = tuple(slice(None, None, -1) for _ in array.shape)
    return np.ascontiguousarray(array[axes])[axes]


def _read_only(array: np.ndarray) -> np.ndarray:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def _narrow(kind: str) -> Callable[[np.ndarray], np.ndarray]:
    def convert(array: np.ndarray) -> np.ndarray:
        if array.dtype == bool:
            return array  # a mask in another dtype would be indices
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other = array.astype(kind)
        return other if np.array_equal(other.astype(array.dtype), array) else array

    return convert


DRESSES: dict[str, Callable[[np.ndarray], Any]] = {
    "list": lambda array: array.tolist(),
    "tuple": lambda array: tuple(map(tuple, array.tolist())) if array.ndim == 2 else tuple(array.tolist()),
    "Fortran order": np.asfortranarray,
    "strided": _strided,
    "negative strides": _reversed,
    "big-endian": lambda array: array.astype(array.dtype.newbyteorder(">")),
    "read-only": _read_only,
    "objects": lambda array: array if array.dtype == bool else array.astype(object),
    "masked, nothing masked": lambda array: np.ma.masked_array(array, mask=np.zeros(array.shape, bool)),
    "subclass": lambda array: array.view(type("Mine", (np.ndarray,), {})),
    **{
        dtype: _narrow(dtype)
        for dtype in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "g", ">i2")
    },
}


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("name", sorted(CASES))
def test_the_same_numbers_in_another_dress(name: str, dress: str) -> None:
    clean = parts(call(name, CASES[name]))
    for key in array_arguments(name):
        dressed = {**CASES[name], key: DRESSES[dress](CASES[name][key])}
        assert parts(call(name, dressed)) == clean, f"{key} as {dress}"
    together = {key: DRESSES[dress](v) if isinstance(v, np.ndarray) else v for key, v in CASES[name].items()}
    assert parts(call(name, together)) == clean


@pytest.mark.parametrize("name", sorted(CASES))
def test_pandas(name: str) -> None:
    pandas = pytest.importorskip("pandas")
    dressed = dict(CASES[name])
    for key in array_arguments(name):
        array = dressed[key]
        if array.ndim <= 2:
            index = np.arange(len(array))[::-1]
            dressed[key] = (pandas.Series if array.ndim == 1 else pandas.DataFrame)(array, index=index)
    assert parts(call(name, dressed)) == parts(call(name, CASES[name]))


# --- and what is none of it

JUNK: list[Any] = [
    None,
    "text",
    b"bytes",
    "",
    -1,
    0,
    1,
    3,
    1.5,
    float("nan"),
    float("inf"),
    -float("inf"),
    1e300,
    2**40,
    2**63,
    2**70,
    -(2**63),
    1 + 2j,
    True,
    object(),
    {},
    {"a": 1},
    {1, 2},
    [],
    [[]],
    [[], []],
    [None],
    [None, 1, 2],
    ["a", "b", "c"],
    [["a"], ["b"], ["c"]],
    [[1, 2], [3]],
    [[1, "a"], [None, 2.5]],
    [[[1]]],
    [1, 2],
    [1, 2, 3, 4],
    [-1, -2, -3],
    [0, 0, 0],
    [1.5, 2.5, 3.5],
    [np.nan, 1.0, 2.0],
    [np.inf, 1.0, 2.0],
    [10_000, 10_000, 10_000],
    [2**62, 2**62, 2**62],
    [2**63, 1, 1],
    [2**70, 1, 1],
    [0, 1, 2**53 + 1],
    range(3),
    slice(3),
    len,
    np.nan,
    np.zeros(0),
    np.zeros((0, 3)),
    np.zeros((3, 0)),
    np.zeros((3, 0), np.int64),
    np.zeros((2, 2, 2, 2)),
    np.ones((3, 6)),
    -np.ones((3, 6)),
    np.full((3, 6), np.nan),
    np.full((3, 6), np.inf),
    np.full((3, 6), 2**62),
    np.full((3, 6), 1e-320),
    np.full((6, 3), 1),
    np.ones((3, 6), bool),
    np.ones((3, 6), complex),
    np.ones((3, 6), "M8[s]"),
    np.ones((3, 6), "m8[s]"),
    np.ones((3, 6), [("a", int)]),
    np.array([["a", "b"]] * 3),
    np.array([[b"a", b"b"]] * 3),
    np.array([[None, 1], [2, 3], [4, 5]], object),
    np.array([[1, object()], [2, 3], [4, 5]], object),
    np.array(["1", "2", "3"], object),
    np.array(5),
    np.array("x"),
    np.ma.masked_array([[1, 2, 3]] * 3, mask=[[0, 1, 0]] * 3),
    np.ma.masked_array([1, 2, 3], mask=[0, 1, 0]),
    np.broadcast_to(1, (3, 6)),
    np.broadcast_to(np.nan, (3, 6)),
]


def assert_a_named_error(name: str, arguments: dict[str, Any]) -> None:
    """The call returns, or raises ValueError or TypeError with the name of a parameter in the message."""
    message = None
    try:
        call(name, arguments)
    except (ValueError, TypeError) as error:
        message = str(error)
    if message is not None and not any(re.search(rf"\b{re.escape(key)}\b", message) for key in parameters(name)):
        pytest.fail(f"names no argument: {message}")


def described(value: Any) -> str:
    return f"{type(value).__name__} {' '.join(repr(value).split())[:60]}"


@pytest.mark.parametrize("name", sorted(CASES))
def test_junk_in_one_argument(name: str) -> None:
    problems: dict[str, str] = {}
    for key in parameters(name):
        for junk in JUNK:
            if key == "progress" and callable(junk):
                continue  # what a callback raises is the caller's own
            try:
                assert_a_named_error(name, {**CASES[name], key: junk})
            except (Exception, pytest.fail.Exception) as error:
                # One example of each kind is enough.
                problems.setdefault(f"{key}: {type(error).__name__}: {str(error)[:160]}", described(junk))
    assert not problems, "\n".join(f"{problem}   ({junk})" for problem, junk in problems.items())


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A call in which one to three arguments are junk, or arrays with spoiled entries or shapes."""
    name = draw(st.sampled_from(sorted(CASES)))
    arguments = dict(CASES[name])
    for key in draw(st.lists(st.sampled_from(parameters(name)), min_size=1, max_size=3, unique=True)):
        value = arguments.get(key)
        if isinstance(value, np.ndarray) and draw(st.booleans()):
            arguments[key] = draw(spoiled_array(value))
        else:
            arguments[key] = draw(st.sampled_from([junk for junk in JUNK if not callable(junk)]))
    return name, arguments


@st.composite
def spoiled_array(draw: st.DrawFn, array: np.ndarray) -> np.ndarray:
    dtype = draw(st.sampled_from(["i8", ">i4", "u8", "f4", ">f8", "f8", "O", "i1"]))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = array.astype(dtype)
    entries = [-1, -2, 0, 1, 7, 100, 127] + ([np.nan, np.inf, -np.inf, 0.5, 1e30] if result.dtype.kind in "fO" else [])
    entries += [None, "x", 2**80, np.nan] if result.dtype.kind == "O" else []
    for _ in range(draw(st.integers(0, 2))):
        value = draw(st.sampled_from(entries))
        if result.dtype.kind == "u" and value < 0:
            value = 2**64 - 1
        result[tuple(draw(st.integers(0, n - 1)) for n in result.shape)] = value
    shape = draw(st.sampled_from(["same", "transposed", "shorter", "empty", "narrow", "deeper", "flat", "reversed"]))
    return {
        "same": result,
        "transposed": result.T,
        "shorter": result[:-1],
        "empty": result[:0],
        "narrow": result[..., :0],
        "deeper": result[None],
        "flat": result.ravel(),
        "reversed": result[::-1],
    }[shape]


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(spoiled())
def test_spoiled_calls(spoiled_call: tuple[str, dict[str, Any]]) -> None:
    assert_a_named_error(*spoiled_call)


@pytest.mark.parametrize("name", sorted(CASES))
def test_input_is_left_as_it_was(name: str) -> None:
    arguments = {key: v.copy() if isinstance(v, np.ndarray) else v for key, v in CASES[name].items()}
    call(name, arguments)
    assert parts(arguments) == parts(CASES[name])


# --- memory

MEMORY = {
    "pass_at_k, counts in int32": """
        n = np.full(4_000_000, 64, np.int32)
        c = (np.arange(4_000_000) % 65).astype(np.int32)
        inputs, call = [n, c], lambda: samples.pass_at_k(n, c, [1, 8, 64])
    """,
    "best_of_k, float32": """
        scores = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (400_000, 1))
        inputs, call = [scores], lambda: samples.best_of_k(scores, scores, [1, 8, 64])
    """,
    "maj_at_k, int8": """
        answers = np.tile(np.arange(50, dtype=np.int8) % 5, (2_000_000, 1))
        gold = np.zeros(2_000_000, np.int8)
        inputs, call = [answers, gold], lambda: samples.maj_at_k(answers, gold, [1, 2])
    """,
    "compare by bootstrap": """
        curves = [samples.Curve.from_values(rows) for rows in np.random.default_rng(1).random((2, 100, 2000))]
        inputs = [curve.per_problem for curve in curves]
        call = lambda: samples.compare(*curves, interval="bootstrap", rng=1).low
    """,
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("case", MEMORY)
def test_memory(case: str) -> None:
    """Peak memory of a call on a large input: at most 1.5 x (inputs + outputs) + 64 MB, inputs and outputs included."""
    program = textwrap.dedent("""
        import re
        import numpy as np
        from slowthink import samples

        def status(field):
            with open("/proc/self/status") as file:
                return int(re.search(field + r":\\s+(\\d+) kB", file.read())[1]) * 1024

        samples.pass_at_k([2], [1])
        before = status("VmRSS")
        SETUP
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # the peak starts anew: making the inputs may have taken more
        outputs = call()
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        data = sum(array.nbytes for array in (*inputs, *outputs))
        print(status("VmHWM") - before, data)
    """).replace("SETUP", textwrap.dedent(MEMORY[case]).strip())
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=250, check=False)
    if "clear_refs" in ended.stderr:
        pytest.skip("this kernel does not let a process reset its peak memory")
    assert ended.returncode == 0, ended.stderr
    peak, data = map(int, ended.stdout.split())
    assert peak <= 1.5 * data + 64e6, f"{peak / 1e6:.0f} MB for {data / 1e6:.0f} MB of data"
