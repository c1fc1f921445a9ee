"""Walks: the same bytes however they are asked for, the law of every draw, parts, buffers, and what does not fit."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crafted import plant
from slowthink import _memory
from slowthink.chains import MarkovChain
from test_gate import LATE, interrupted_after

LANES = 128
"""Walks that a thread takes together."""


def random_chain(n_states: int, degree: int, kind: str, seed: int = 1) -> MarkovChain:
    """Rows of 1 to about `degree` targets: "uniform", "weighted", or "mixed", where every other row is uniform."""
    rng = np.random.default_rng(seed)
    source = np.concatenate([np.arange(n_states), rng.integers(0, n_states, n_states * (degree - 1))])
    key = np.unique(source * n_states + rng.integers(0, n_states, len(source)))
    indptr = np.searchsorted(key, np.arange(n_states + 1) * n_states)
    weights = rng.random(len(key)) ** 3 + 1e-3
    if kind == "mixed":
        weights[key // n_states % 2 == 0] = 1.0
    return MarkovChain.from_weights((indptr, key % n_states, None if kind == "uniform" else weights))


CHAINS = {
    **{f"{kind}, near": random_chain(500, 6, kind) for kind in ("uniform", "weighted", "mixed")},
    # Tables beyond the second level of cache, which are walked in another way.
    **{f"{kind}, far": random_chain(120_000, 4, kind) for kind in ("uniform", "weighted")},
    "absorbing": MarkovChain.from_weights([[1, 1, 1, 0], [0, 0, 0, 1], [1, 0, 0, 2], [0, 0, 0, 0]], dangling="absorb"),
}


@pytest.fixture(params=CHAINS)
def chain(request: pytest.FixtureRequest) -> MarkovChain:
    return CHAINS[request.param]


def starts(chain: MarkovChain, n_walks: int) -> np.ndarray:
    return np.random.default_rng(2).integers(0, chain.n_states, n_walks, dtype=np.uint32)


# --- the same bytes


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_do_not_matter(chain: MarkovChain, threads: int):
    start = starts(chain, 5 * LANES + 3)
    expected = chain.walk(start, 33, rng=3, threads=1)
    np.testing.assert_array_equal(chain.walk(start, 33, rng=3, threads=threads), expected)


@pytest.mark.parametrize("n_walks", [1, 2, 31, 127, 128, 129, 257])
def test_a_walk_does_not_depend_on_those_beside_it(chain: MarkovChain, n_walks: int):
    start = starts(chain, 300)
    expected = chain.walk(start, 20, rng=4)
    np.testing.assert_array_equal(chain.walk(start[:n_walks], 20, rng=4), expected[:n_walks])
    np.testing.assert_array_equal(chain.walk(start[43:], 20, rng=4, first=43), expected[43:])


def test_a_walk_goes_on_where_it_stood(chain: MarkovChain):
    start = starts(chain, 200)
    expected = chain.walk(start, 40, rng=4)
    for n_steps in (0, 1, 7, 39):
        np.testing.assert_array_equal(chain.walk(start, n_steps, rng=4), expected[:, : n_steps + 1])


@pytest.mark.parametrize("kind", ["state", "states", "law"])
@pytest.mark.parametrize("chunk", [1, 7, 128, 200, 1000, None])
def test_parts_are_the_whole(kind: str, chunk: int | None):
    chain = CHAINS["mixed, near"]
    law = np.random.default_rng(5).dirichlet(np.ones(chain.n_states))
    start = {"state": {"start": 3}, "states": {"start": starts(chain, 300)}, "law": {"start_distribution": law}}[kind]
    arguments: dict[str, Any] = {**start, "n_steps": 9, "n_walks": 300, "first": 2**64 - 100}
    expected = chain.walk(**arguments, rng=6)
    for reuse in (False, True):
        parts = [part.copy() for part in chain.iter_walks(**arguments, chunk=chunk, reuse=reuse, rng=6)]
        assert {len(part) for part in parts[:-1]} <= {chunk}
        np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_parts_come_from_one_draw_of_the_generator():
    chain, one, other = CHAINS["weighted, near"], np.random.default_rng(7), np.random.default_rng(7)
    parts = chain.iter_walks(0, 5, n_walks=40, chunk=16, rng=one)
    expected = chain.walk(0, 5, n_walks=40, rng=other)
    assert one.random() == other.random()
    np.testing.assert_array_equal(np.concatenate(list(parts)), expected)
    assert not np.array_equal(chain.walk(0, 5, n_walks=40, rng=other), expected), "a generator moves on"


def test_parts_in_one_memory_and_parts_that_are_kept():
    chain = CHAINS["uniform, near"]
    kept = list(chain.iter_walks(0, 5, n_walks=32, chunk=16, rng=1))
    assert not np.shares_memory(*kept)
    reused = list(chain.iter_walks(0, 5, n_walks=32, chunk=16, rng=1, reuse=True))
    assert np.shares_memory(*reused)
    start = np.arange(4)
    later = chain.iter_walks(start, 5, rng=1)
    start[:] = 0
    assert next(later)[:, 0].tolist() == [0, 1, 2, 3], "the starts are those of the call"


def test_progress_of_parts_is_that_of_the_whole():
    reports: list[tuple[int, int]] = []
    parts = CHAINS["uniform, near"].iter_walks(
        0, 5, n_walks=50, chunk=20, rng=1, progress=lambda *done: reports.append(done)
    )
    assert [len(part) for part in parts] == [20, 20, 10]
    assert {total for _, total in reports} == {50}
    assert sorted(reports) == reports
    assert reports[-1] == (50, 50)


def test_numbers_of_walks_beyond_32_bits():
    chain = CHAINS["weighted, near"]

    def numbered(first: int) -> np.ndarray:
        return chain.walk(0, 30, rng=8, first=first)[0]

    for first in (2**32 - 1, 2**40, 2**63 - 1, 2**64 - 2):
        found = chain.walk(0, 30, n_walks=3, rng=8, first=first)
        np.testing.assert_array_equal(found, [numbered((first + i) % 2**64) for i in range(3)])
    distinct = {numbered(first).tobytes() for first in (0, 1, 2**31, 2**32, 2**32 + 1, 2**63, 2**64 - 1)}
    assert len(distinct) == 7


PROGRAM = """
    import hashlib, json
    from slowthink._slowthink import build_info
    from test_walks import CHAINS, starts

    def digest(*arrays):
        return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()

    found = {}
    for name, chain in CHAINS.items():
        start = starts(chain, 300)
        counts = chain.count_transitions(start, 50, rng=9)
        found[name] = [
            digest(chain.walk(start, 50, rng=9)),
            digest(chain.count_visits(start, 50, rng=9), counts.counts, chain.endpoints(start, 50, rng=9)),
        ]
    print(json.dumps([build_info()[3], found]))
"""


def test_vector_instructions_do_not_matter():
    found = {}
    for level in ("baseline", "avx2", ""):
        environment = {**os.environ, "SLOWTHINK_SIMD": level, "PYTHONPATH": str(Path(__file__).parent)}
        program = [sys.executable, "-c", textwrap.dedent(PROGRAM)]
        ended = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=120, check=True)
        name, found[level] = json.loads(ended.stdout)
        assert name == "baseline" or level != "baseline"
    assert found["baseline"] == found["avx2"] == found[""]


def test_value_stability():
    # A changed value here is another walk for every seed: it needs a line in CHANGELOG.md.
    digests = {
        name: hashlib.sha256(chain.walk(starts(chain, 200), 40, rng=10, first=2**33).tobytes()).hexdigest()[:12]
        for name, chain in CHAINS.items()
    }
    assert digests == PINNED
    law = CHAINS["absorbing"].walk(start_distribution=[0.25, 0.25, 0.25, 0.25], n_steps=4, n_walks=3, rng=10)
    assert law.tolist() == PINNED_LAW


PINNED = {
    "absorbing": "1c5fa7305b25",
    "mixed, near": "90a565e9e114",
    "uniform, far": "1af3314b567f",
    "uniform, near": "f85357402390",
    "weighted, far": "fe6e2372b736",
    "weighted, near": "fe3d5cae9714",
}
PINNED_LAW = [[2, 3, 3, 3, 3], [2, 0, 1, 3, 3], [2, 3, 3, 3, 3]]


# --- the law of a draw


def draws_to(
    chain: MarkovChain, state: int, degree: int, monkeypatch: pytest.MonkeyPatch, number: int
) -> dict[int, int]:
    """How many of the 2^64 draws lead from `state` to each target, by asking walk number `number` of a call.

    Of a row of `degree` transitions a draw times `degree` has the place in its high half; within a place the target
    changes once at most, at a draw that is found by halving.
    """

    def target(draw: int) -> int:
        plant(monkeypatch, number, draw)
        return int(chain.walk(state, 1, n_walks=number % LANES + 1, first=number - number % LANES)[-1, 1])

    ends = [-(-place * 2**64 // degree) for place in range(degree + 1)]
    found: dict[int, int] = {}
    for begin, end in itertools.pairwise(ends):
        below, above = target(begin), target(end - 1)
        low, high = begin, end - 1
        while below != above and high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if target(middle) == below else (low, middle)
        change = end if below == above else high
        for to, n in ((below, change - begin), (above, end - change)):
            found[to] = found.get(to, 0) + n
    return found


RARE = {
    "two": [1 - 1e-12, 1e-12],
    "three": [0.3, 1e-15, 0.7 - 1e-15],
    "rarest": [1e-17, 1e-12, 0.5, 0.5],
    "many": [1e-15, 1e-12, *np.full(22, 1 / 22)],
    "none is rare": [0.1, 0.2, 0.3, 0.4],
}


@pytest.mark.parametrize("number", [0, 77, 2**40 + 127])
@pytest.mark.parametrize("row", RARE)
def test_every_transition_is_drawn_at_its_rate_to_the_last_of_64_bits(row, number, monkeypatch):
    # Thresholds or positions of 32 bits would give 1e-12 to none of the draws, or to 2^-32 of them.
    weights = np.array(RARE[row])
    rows = np.tile(np.r_[weights, 0.0], (len(weights) + 1, 1))
    chain = MarkovChain.from_weights(rows)
    draws = draws_to(chain, 1, len(weights), monkeypatch, number)
    assert sum(draws.values()) == 2**64
    for target, weight in enumerate(weights / weights.sum()):
        # A rare one is off by the rounding of one threshold; the others, by the rounding of their sums.
        exact = weight * 2.0**64
        assert abs(draws[target] - exact) <= (2.0 if weight < 1e-3 else 1e-15 * 2.0**64), target


def test_far_tables_draw_rare_transitions_at_their_rate(monkeypatch):
    n = 300_000
    indices = np.concatenate([np.arange(n), np.roll(np.arange(n), 1)]).reshape(2, n).T
    weights = np.tile([1.0, 1e-12], n)
    chain = MarkovChain.from_weights((np.arange(0, 2 * n + 1, 2), indices.ravel(), weights))
    draws = draws_to(chain, 250_000, 2, monkeypatch, 33)
    assert draws[249_999] == pytest.approx(1e-12 * 2**64, rel=1e-6)


@pytest.mark.parametrize("degree", [3, 1000, 99_991])
def test_positions_in_a_long_row_are_even(degree, monkeypatch):
    indptr = np.concatenate([[0], degree + np.arange(degree)])
    chain = MarkovChain.from_weights((indptr, np.r_[np.arange(degree), np.zeros(degree - 1, int)], None))
    for place in {0, 1, 2, *np.random.default_rng(1).integers(1, degree, 30).tolist()}:
        begin = -(-place * 2**64 // degree)
        for draw, expected in ((begin, place), (begin - 1, place - 1)):
            if draw >= 0:
                plant(monkeypatch, 5, draw)
                assert chain.walk(0, 1, first=5)[0, 1] == expected


def test_a_start_is_drawn_at_its_rate(monkeypatch):
    law = np.array([0.5, 1e-15, 0.0, 0.5 - 1e-15])
    chain = MarkovChain(np.eye(4))
    # The second of three places begins with the draws of state 1: 1e-15 of 2^64 are 18447.
    begin = -(-(2**64) // 3)
    for draw, rare in ((0, False), (begin - 1, False), (begin, True), (begin + 18445, True), (begin + 18448, False)):
        plant(monkeypatch, 9, draw)
        start = chain.walk(n_steps=0, start_distribution=law, n_walks=10)[9, 0]
        assert start != 2
        assert (start == 1) == rare, draw


# --- streams


BYTES = MarkovChain(np.full((256, 256), 1 / 256))
"""A chain whose states are the first eight bits of the draws."""


def chi_square(observed: np.ndarray, expected: np.ndarray | float, df: int | None = None) -> float:
    """How likely a sound generator gives a chi-square at least as large as this one."""
    from scipy.stats import chi2

    statistic = float(((observed - expected) ** 2 / expected).sum())
    return float(chi2.sf(statistic, observed.size - 1 if df is None else df))


@pytest.mark.parametrize("first", [0, 2**32 - 10_000, 2**63])
def test_walks_side_by_side_are_independent(first: int):
    walks = BYTES.walk(0, 64, n_walks=20_000, rng=11, first=first)[:, 1:].astype(np.int64)
    levels = []
    for distance, lag in [(1, 0), (2, 0), (3, 0), (127, 0), (128, 0), (1, 1), (1, -1), (128, 3), (0, 1), (0, 2)]:
        n_walks, n_steps = len(walks) - distance, 64 - abs(lag)
        one = walks[:n_walks, max(-lag, 0) :][:, :n_steps]
        other = walks[distance:, max(lag, 0) :][:, :n_steps]
        pairs = np.bincount((one * 256 + other).ravel(), minlength=65536)
        levels.append(chi_square(pairs, n_walks * n_steps / 65536))
        z = ((one - 127.5) * (other - 127.5)).sum() / (np.sqrt(n_walks * n_steps) * (256**2 - 1) / 12)
        assert abs(z) < 6, (distance, lag)
    assert min(levels) > 1e-7
    assert max(levels) < 1 - 1e-7


@pytest.mark.parametrize("offset", [1, 2**16, 2**32, 2**63])
def test_streams_do_not_collide(offset: int):
    # As many words of 24 bits from as many streams: the pairs that agree follow a Poisson law.
    n = 40_000
    walks = np.concatenate([BYTES.walk(0, 6, n_walks=n, rng=12, first=first) for first in (0, n + offset)])
    for columns in (slice(1, 4), slice(4, 7), slice(1, 7, 2)):
        word = (walks[:, columns].astype(np.int64) << [16, 8, 0]).sum(axis=1)
        collisions = 2 * n - len(np.unique(word))
        expected = 2 * n * (2 * n - 1) / 2 / 2**24
        assert abs(collisions - expected) < 6 * np.sqrt(expected)


def test_seeds_and_shards_share_no_walk():
    walks = [BYTES.walk(0, 12, n_walks=500, rng=seed, first=first) for seed in range(20) for first in (0, 500, 2**40)]
    assert len(np.unique(np.concatenate(walks)[:, 1:], axis=0)) == 20 * 3 * 500


# --- known answers


def test_walks_take_transitions_of_the_chain_alone(chain: MarkovChain):
    walks = chain.walk(starts(chain, 300), 50, rng=13).astype(np.int64)
    taken = np.unique(walks[:, :-1] * chain.n_states + walks[:, 1:])
    source = np.repeat(np.arange(chain.n_states), np.diff(chain.indptr))
    assert np.isin(taken, source * chain.n_states + chain.indices).all()


def test_an_absorbing_state_is_never_left():
    walks = CHAINS["absorbing"].walk(0, 200, n_walks=300, rng=14)
    ends = (walks == 3).argmax(axis=1)
    assert (walks[:, -1] == 3).all()
    assert all((walk[end:] == 3).all() for walk, end in zip(walks, ends, strict=True))


def test_a_state_with_one_way_out_takes_it():
    n = 1000
    ring = MarkovChain.from_weights((np.arange(n + 1), np.roll(np.arange(n), -1), np.full(n, 7.0)))
    np.testing.assert_array_equal(ring.walk([5, 998], 4), [[5, 6, 7, 8, 9], [998, 999, 0, 1, 2]])


# --- shapes, buffers, bad input


def test_no_walks_and_no_steps():
    chain = CHAINS["weighted, near"]
    assert chain.walk([], 5).shape == (0, 6)
    assert chain.walk(0, 5, n_walks=0).shape == (0, 6)
    assert list(chain.iter_walks(0, 5, n_walks=0)) == []
    np.testing.assert_array_equal(chain.walk([3, 1], 0), [[3], [1]])
    assert chain.walk(7, 3).shape == (1, 4)
    assert chain.walk(7, 3).dtype == np.uint32


def test_out_is_filled_and_returned(tmp_path):
    chain, start = CHAINS["weighted, far"], starts(CHAINS["weighted, far"], 200)
    expected = chain.walk(start, 30, rng=1)
    buffer = np.full((200, 31), 9, dtype=np.uint32)
    assert chain.walk(start, 30, rng=1, out=buffer) is buffer
    np.testing.assert_array_equal(buffer, expected)
    file = np.memmap(tmp_path / "walks", dtype=np.uint32, mode="w+", shape=(200, 31))
    assert chain.walk(start, 30, rng=1, out=file) is file
    file.flush()
    np.testing.assert_array_equal(np.fromfile(tmp_path / "walks", dtype=np.uint32).reshape(200, 31), expected)
    rows = np.zeros((500, 31), dtype=np.uint32)
    chain.walk(start, 30, rng=1, out=rows[100:300])
    np.testing.assert_array_equal(rows[100:300], expected)
    assert not rows[:100].any()
    assert not rows[300:].any()


BUFFER = np.zeros((4, 6), dtype=np.uint32)


@pytest.mark.parametrize(
    ("out", "error", "text"),
    [
        (BUFFER[:3], ValueError, r"out must have shape \(4, 6\), got \(3, 6\)"),
        (np.zeros(24, np.uint32), ValueError, r"out must have shape \(4, 6\), got \(24,\)"),
        (BUFFER.astype(np.int32), TypeError, "out must have dtype uint32, got int32"),
        (BUFFER.astype(">u4"), TypeError, "out must have dtype uint32, got >u4"),
        (BUFFER.astype(np.int64), TypeError, "out must have dtype uint32, got int64"),
        (np.zeros((4, 12), np.uint32)[:, ::2], ValueError, r"out must be C-contiguous, got strides \(48, 8\)"),
        (np.zeros((6, 4), np.uint32).T, ValueError, "out must be C-contiguous"),
        (np.zeros((4, 6), np.uint32)[::-1], ValueError, "out must be C-contiguous"),
        (np.lib.stride_tricks.as_strided(BUFFER, (4, 6), (0, 4)), ValueError, "out must be C-contiguous"),
        (np.frombuffer(bytes(96), np.uint32).reshape(4, 6), ValueError, "out must be writeable"),
        (np.frombuffer(bytearray(97), np.uint32, 24, 1).reshape(4, 6), ValueError, "out must be aligned"),
        (np.ma.zeros((4, 6), np.uint32), TypeError, "out must be a NumPy array of dtype uint32, got MaskedArray"),
        ([[0] * 6] * 4, TypeError, "out must be a NumPy array of dtype uint32, got list"),
    ],
)
def test_a_buffer_that_cannot_be_written_is_named(out, error, text):
    with pytest.raises(error, match=text):
        CHAINS["uniform, near"].walk(0, 5, n_walks=4, out=out)


def test_a_buffer_that_holds_the_starts_is_named():
    memory = np.zeros(24, dtype=np.uint32)
    with pytest.raises(ValueError, match="out must not share memory with the other arguments"):
        CHAINS["uniform, near"].walk(memory[8:12], 5, out=memory.reshape(4, 6))
    both = np.zeros(28, dtype=np.uint32)
    assert not CHAINS["absorbing"].walk(both[24:], 5, rng=1, out=both[:24].reshape(4, 6))[:, 0].any()


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"start": 0}, TypeError, "n_steps must be given"),
        ({"n_steps": 3}, TypeError, "either start or start_distribution must be given"),
        ({"start": 0, "start_distribution": [1.0], "n_steps": 3}, TypeError, "and not both"),
        ({"start": 500, "n_steps": 3}, ValueError, "start must be below the number of states, 500, got 500"),
        ({"start": [0, 500], "n_steps": 3}, ValueError, r"start\[1\] must be below the number of states, 500, got 500"),
        ({"start": [0, -1], "n_steps": 3}, ValueError, r"start\[1\] must be at least 0, got -1"),
        ({"start": [[0]], "n_steps": 3}, ValueError, "start must be 0-D or 1-D"),
        ({"start": [0, 1], "n_walks": 3, "n_steps": 3}, ValueError, "n_walks must be the length of start, 2, or None"),
        ({"start": 0, "n_steps": -1}, ValueError, "n_steps must be at least 0, got -1"),
        ({"start": 0, "n_steps": 2.0}, TypeError, "n_steps must be an int"),
        ({"start": 0, "n_steps": True}, TypeError, "n_steps must be an int"),
        ({"start": 0, "n_steps": 3, "n_walks": -1}, ValueError, "n_walks must be at least 0, got -1"),
        ({"start": 0, "n_steps": 3, "first": -1}, ValueError, "first must be at least 0, got -1"),
        ({"start": 0, "n_steps": 3, "first": 2**64}, ValueError, "first must be at most 18446744073709551615"),
        ({"start_distribution": [1.0], "n_steps": 3}, ValueError, "start_distribution must have one number for each"),
        ({"start_distribution": np.full(500, 0.003), "n_steps": 3}, ValueError, "start_distribution must have a sum"),
    ],
)
def test_bad_input_is_named(arguments, error, text):
    chain = CHAINS["uniform, near"]
    for call in (chain.walk, lambda **arguments: list(chain.iter_walks(**arguments)), chain.count_visits):
        generator = np.random.default_rng(1)
        with pytest.raises(error, match=text):
            call(**arguments, rng=generator)
        if "start_distribution" not in arguments:
            assert generator.random() == np.random.default_rng(1).random(), "the generator has not moved"


@pytest.mark.parametrize("chunk", [0, -1, 1.5, "all"])
def test_a_part_has_a_walk_at_least(chunk):
    with pytest.raises((ValueError, TypeError), match="chunk must be"):
        CHAINS["uniform, near"].iter_walks(0, 5, n_walks=3, chunk=chunk)


# --- memory


@pytest.mark.parametrize(("n_walks", "n_steps"), [(2**40, 80), (1, 2**44), (2**62, 2**62), (1, 2**63 - 1)])
def test_what_does_not_fit_is_a_memory_error_before_work_starts(n_walks: int, n_steps: int):
    chain = CHAINS["uniform, near"]
    with pytest.raises(MemoryError, match=r"a result of shape \(\d+, \d+\) takes [\d,]+ bytes"):
        chain.walk(0, n_steps, n_walks=n_walks)


def test_the_memory_that_is_left_is_the_bound(monkeypatch):
    chain = CHAINS["uniform, near"]
    monkeypatch.setattr(_memory, "available", lambda: 20_000_000)
    with pytest.raises(MemoryError, match=r"takes 20,000,016 bytes, and 20,000,000 are free"):
        chain.walk(0, 0, n_walks=5_000_004)
    with pytest.raises(MemoryError, match="takes 40,000,000 bytes"):
        chain.endpoints(0, 0, n_walks=10_000_000)
    with pytest.raises(MemoryError, match="takes 40,000,000 bytes"):
        chain.occupancy(0, 9999)
    assert chain.walk(0, 0, n_walks=5_000_000).shape == (5_000_000, 1)
    assert sum(map(len, chain.iter_walks(0, 0, n_walks=5_000_004, chunk=10**6))) == 5_000_004


def test_control_groups_and_the_machine_are_asked(tmp_path):
    def write(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    if not sys.platform.startswith("linux"):
        assert _memory.available() is None
        return
    assert _memory.available(tmp_path) is None
    write("proc/meminfo", "MemTotal:  9000 kB\nMemAvailable:    3000 kB\nSwapFree:   1000 kB\n")
    assert _memory.available(tmp_path) == 4000 * 1024
    # Version 2: the group has no bound, the one above it has.
    write("proc/self/cgroup", "0::/user/job\n")
    write("sys/fs/cgroup/user/job/memory.max", "max\n")
    write("sys/fs/cgroup/user/job/memory.current", "500\n")
    assert _memory.available(tmp_path) == 4000 * 1024
    write("sys/fs/cgroup/user/memory.max", "10000\n")
    write("sys/fs/cgroup/user/memory.current", "9000\n")
    assert _memory.available(tmp_path) == 1000
    write("sys/fs/cgroup/user/memory.stat", "anon 100\ninactive_file 300\n")
    assert _memory.available(tmp_path) == 1300
    # Version 1, within a container: the path is that of the host.
    write("proc/self/cgroup", "7:cpu:/x\n4:memory:/docker/abc\n")
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "800\n")
    write("sys/fs/cgroup/memory/memory.usage_in_bytes", "900\n")
    write("sys/fs/cgroup/memory/memory.stat", "total_inactive_file 50\n")
    assert _memory.available(tmp_path) == 0
    real = _memory.available()
    assert real is not None
    assert real > 2**24


# --- interruption


def test_ctrl_c_stops_one_long_walk():
    chain = CHAINS["uniform, far"]
    # Four gigabytes, taken only where they are written; not a file, whose pages would wait for the disk.
    out = np.empty((LANES, 2**23), np.uint32)
    assert interrupted_after(lambda: chain.walk(0, 2**23 - 1, n_walks=LANES, out=out), 0.2) < LATE
    assert interrupted_after(lambda: chain.endpoints(0, 2**40), 0.2) < LATE
    assert interrupted_after(lambda: chain.count_visits(0, 2**40, n_walks=1000), 0.2) < LATE
    assert interrupted_after(lambda: chain.count_transitions(0, 2**40, lag=2, n_walks=1000), 0.2) < LATE


def test_a_callback_that_raises_stops_a_walk():
    def stop(done: int, total: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        CHAINS["uniform, near"].count_visits(0, 2**40, n_walks=1000, progress=stop)


# --- what walks are made for


def test_walks_are_sentences_and_tensors():
    walks = CHAINS["uniform, near"].walk(starts(CHAINS["uniform, near"], 20), 9, rng=1)
    sentences = walks.astype(str).tolist()
    assert all(isinstance(word, str) for words in sentences for word in words)
    assert [[int(word) for word in words] for words in sentences] == walks.tolist()
    # What from_numpy and from_dlpack ask for: memory of its own kind, in order, that may be written.
    assert walks.flags.c_contiguous
    assert walks.flags.writeable
    assert walks.flags.owndata
    shared = np.from_dlpack(walks)
    assert np.shares_memory(shared, walks)
    np.testing.assert_array_equal(shared, walks)
