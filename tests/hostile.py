"""What users hand in by mistake, for all kernels: a class of tests that feed the public functions of a module with it.

`Hostile` is made for a module by a subclass that holds one small valid call of each public function. The function
answers rightly, or names the argument that is wrong; no panic reaches the user.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest
from conftest import parts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


def described(value: Any) -> str:
    return f"{type(value).__name__} {' '.join(repr(value).split())[:60]}"


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


# --- the tests

HUGE = 1 << 31
"""A number of this size may be valid, and mean more work than a test has time for."""

ENOUGH = "enough of a long call"


class Enough(Exception):
    """Raised by a progress callback: the call was valid and is at work."""


def _stop(done: int, total: int) -> None:
    raise Enough


class Hostile:
    """The tests of one module. A subclass whose name begins with Test runs them on its own cases."""

    cases: ClassVar[dict[str, dict[str, Any]]]
    """A small valid call of each public function; its array arguments are arrays here."""

    memory: ClassVar[dict[str, str]] = {}
    """Programs that set `inputs`, a list of large arrays, and `call`, which returns arrays."""

    def function(self, name: str) -> Callable[..., Any]:
        """What the case calls."""
        raise AssertionError(name)

    def comparable(self, result: Any) -> Any:
        """The numbers of a result, for `parts`."""
        return result

    def call(self, name: str, arguments: dict[str, Any]) -> Any:
        function = self.function(name)
        long = any(isinstance(value, int) and value >= HUGE for value in arguments.values())
        if long and "progress" in self.parameters(name):
            arguments = {"progress": _stop, **arguments}
        try:
            return self.comparable(function(**arguments))
        except Enough:
            return ENOUGH

    def parameters(self, name: str) -> list[str]:
        listed = inspect.signature(self.function(name)).parameters.values()
        return [parameter.name for parameter in listed if parameter.kind is not parameter.VAR_KEYWORD]

    def array_arguments(self, name: str) -> list[str]:
        return [key for key, value in self.cases[name].items() if isinstance(value, np.ndarray)]

    def assert_a_named_error(self, name: str, arguments: dict[str, Any]) -> None:
        """The call returns, or raises ValueError or TypeError with the name of a parameter in the message."""
        message = None
        try:
            self.call(name, arguments)
        except (ValueError, TypeError) as error:
            message = str(error)
        except MemoryError:
            # That there is no room for so many is an answer as well.
            if not any(isinstance(value, int) and value >= HUGE for value in arguments.values()):
                raise
        names = self.parameters(name)
        if message is not None and not any(re.search(rf"\b{re.escape(key)}\b", message) for key in names):
            pytest.fail(f"names no argument: {message}")

    @classmethod
    def pytest_generate_tests(cls, metafunc: pytest.Metafunc) -> None:
        listed = {"name": sorted(cls.cases), "dress": list(DRESSES), "program": list(cls.memory)}
        for fixture, values in listed.items():
            if fixture in metafunc.fixturenames:
                metafunc.parametrize(fixture, values)

    def test_the_same_numbers_in_another_dress(self, name: str, dress: str) -> None:
        case = self.cases[name]
        clean = parts(self.call(name, case))
        for key in self.array_arguments(name):
            dressed = {**case, key: DRESSES[dress](case[key])}
            assert parts(self.call(name, dressed)) == clean, f"{key} as {dress}"
        together = {key: DRESSES[dress](v) if isinstance(v, np.ndarray) else v for key, v in case.items()}
        assert parts(self.call(name, together)) == clean

    def test_pandas(self, name: str) -> None:
        pandas = pytest.importorskip("pandas")
        dressed = dict(self.cases[name])
        for key in self.array_arguments(name):
            array = dressed[key]
            if array.ndim <= 2:
                index = np.arange(len(array))[::-1]
                dressed[key] = (pandas.Series if array.ndim == 1 else pandas.DataFrame)(array, index=index)
        assert parts(self.call(name, dressed)) == parts(self.call(name, self.cases[name]))

    def test_junk_in_one_argument(self, name: str) -> None:
        problems: dict[str, str] = {}
        for key in self.parameters(name):
            for junk in JUNK:
                if key == "progress" and callable(junk):
                    continue  # what a callback raises is the caller's own
                try:
                    self.assert_a_named_error(name, {**self.cases[name], key: junk})
                except (Exception, pytest.fail.Exception) as error:
                    # One example of each kind is enough.
                    problems.setdefault(f"{key}: {type(error).__name__}: {str(error)[:160]}", described(junk))
        assert not problems, "\n".join(f"{problem}   ({junk})" for problem, junk in problems.items())

    @settings(suppress_health_check=list(HealthCheck))  # a class of tests has an executor for each of its subclasses
    @given(st.data())
    def test_spoiled_calls(self, name: str, data: st.DataObject) -> None:
        if self.parameters(name):
            self.assert_a_named_error(name, data.draw(self._spoiled(name)))

    def _spoiled(self, name: str) -> st.SearchStrategy[dict[str, Any]]:
        """Calls in which one to three arguments are junk, or arrays with spoiled entries or shapes."""
        junk = st.sampled_from([junk for junk in JUNK if not callable(junk)])

        @st.composite
        def calls(draw: st.DrawFn) -> dict[str, Any]:
            arguments = dict(self.cases[name])
            for key in draw(st.lists(st.sampled_from(self.parameters(name)), min_size=1, max_size=3, unique=True)):
                value = arguments.get(key)
                spoil = isinstance(value, np.ndarray) and draw(st.booleans())
                arguments[key] = draw(spoiled_array(value) if spoil else junk)
            return arguments

        return calls()

    def test_input_is_left_as_it_was(self, name: str) -> None:
        arguments = {key: v.copy() if isinstance(v, np.ndarray) else v for key, v in self.cases[name].items()}
        self.call(name, arguments)
        assert parts(arguments) == parts(self.cases[name])

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
    def test_memory(self, program: str) -> None:
        """Peak memory of a call on a large input: at most 1.5 x (inputs + outputs) + 64 MB, those included."""
        peak, data = peak_memory(self.memory[program])
        assert peak <= 1.5 * data + 64e6, f"{peak / 1e6:.0f} MB for {data / 1e6:.0f} MB of data"


def peak_memory(setup: str) -> tuple[int, int]:
    """Bytes that a fresh process takes at most for `call()`, and the bytes of `inputs` and what it returns."""
    program = textwrap.dedent("""
        import re
        import numpy as np
        from slowthink import samples
        from slowthink.chains import MarkovChain

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
    """).replace("SETUP", textwrap.dedent(setup).strip())
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=250, check=False)
    if "clear_refs" in ended.stderr:
        pytest.skip("this kernel does not let a process reset its peak memory")
    assert ended.returncode == 0, ended.stderr
    peak, data = map(int, ended.stdout.split())
    return peak, data
