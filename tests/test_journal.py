"""Journals: a forest whose process dies goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from slowthink.problems import AdditiveTree
from slowthink.trees import Forest, Puct, Uct

KILL = Path(__file__).parent.parent / "benches" / "kill.py"


def begin(journal: Path | None, **options: Any) -> Forest:
    return Forest(3, Uct(c=0.5), n_simulations=40, rng=5, journal=journal, **options)


def step(forest: Forest) -> int:
    leaves = forest.ask(4)
    forest.tell(leaves, (leaves.node % 7) / 7, n_children=3, payload=[f"{node}" for node in leaves.node])
    return len(leaves)


def saved(forest: Forest, folder: Path) -> bytes:
    forest.save(folder / "saved")
    return (folder / "saved").read_bytes()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes to be killed are made by fork")
def test_killed_at_random_instants() -> None:
    runs = max(8, settings().max_examples // 10)
    command = [sys.executable, str(KILL), "--runs", str(runs), "--seed", str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "nothing told was lost" in done.stdout


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no such signal")
def test_a_plain_loop_ends_with_the_same_tree(tmp_path: Path) -> None:
    program = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_journal import Path, begin, step
forest = begin(Path({str(tmp_path)!r}) / "journal")
for i in range(9):
    step(forest)
forest.ask(4)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == -signal.SIGKILL
    forest, alone = begin(tmp_path / "journal"), begin(None)
    assert forest.n_in_flight == 4
    while step(forest):
        pass
    while step(alone):
        pass
    assert saved(forest, tmp_path) == saved(alone, tmp_path)


def test_what_was_lost_is_handed_out_first_and_alone(tmp_path: Path) -> None:
    forest = begin(tmp_path / "journal")
    step(forest)
    lost = forest.ask(3)
    paths = [lost.path(i) for i in range(len(lost))]
    del forest
    forest = begin(tmp_path / "journal")
    first, rest = forest.ask(2), forest.ask(9)
    assert [*first.ticket, *rest.ticket] == lost.ticket.tolist()
    assert [*map(first.path, range(2)), *map(rest.path, range(1))] == paths
    assert [*first.kind, *rest.kind] == lost.kind.tolist()
    assert forest.ask(1).ticket[0] not in lost.ticket
    assert (forest.outstanding().ticket[:3] == lost.ticket).all()
    del forest
    forest = Forest.resume(tmp_path / "journal")
    assert forest.policy == Uct(c=0.5)
    forest.tell(lost.ticket[:1], 0.5, n_children=2)
    forest.cancel(lost.ticket[1:2])
    assert (forest.ask(9).ticket == [lost.ticket[2], forest.outstanding().ticket[1]]).all()
    assert len(forest.outstanding()) == 2


def test_all_that_can_be_done_is_written_down(tmp_path: Path) -> None:
    forest = Forest(2, Puct(), rng=3, journal=tmp_path / "journal", fsync=True)
    leaves = forest.ask(2)
    forest.tell(leaves, n_children=2)
    forest.tell(leaves, [0.5, 1.0], priors=[[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]], n_children=[3, 2], players=[0, 1])
    for _ in range(30):
        leaves = forest.ask(3, per_tree=2)
        forest.cancel(leaves.ticket[:1])
        forest.tell(leaves, 0.25, rewards=0.5, terminal=leaves.depth > 3, n_children=2, cost=1.0)
    forest.reroot(0, 1)
    forest._set_limits([60, 70])
    forest.set_priority(1, 2)
    forest.stop(0)
    step(forest)
    before = saved(forest, tmp_path)
    del forest
    forest = Forest.resume(tmp_path / "journal")
    assert saved(forest, tmp_path) == before
    size = (tmp_path / "journal").stat().st_size
    forest.compact()
    assert (tmp_path / "journal").stat().st_size < size
    step(forest)
    before = saved(forest, tmp_path)
    del forest
    assert saved(Forest.resume(tmp_path / "journal"), tmp_path) == before


def test_a_refused_call_leaves_no_record(tmp_path: Path) -> None:
    forest = begin(tmp_path / "journal")
    leaves = forest.ask(3)
    size = (tmp_path / "journal").stat().st_size
    with pytest.raises(ValueError, match="values"):
        forest.tell(leaves, [0.5, float("nan"), 0.5], n_children=2)
    with pytest.raises(ValueError, match="node"):
        forest.reroot(0, node=5)
    with pytest.raises(ValueError, match="journal must be None for run"):
        forest.run(AdditiveTree(2, 3), 5)
    assert (tmp_path / "journal").stat().st_size == size


def test_another_search_does_not_go_on(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    forest = begin(journal)
    with pytest.raises(BlockingIOError, match="another process, or forest, keeps this journal"):
        begin(journal)
    del forest
    for change, message in [
        ({"n_trees": 4}, "n_trees = 4 after 3"),
        ({"policy": Uct(c=0.6)}, "c: 0.6"),
        ({"rng": 6}, "another rng"),
        ({"first": 1}, "first = 1 after 0"),
        ({"discount": -1.0}, "discount: -1.0"),
    ]:
        options: dict[str, Any] = {"n_trees": 3, "policy": Uct(c=0.5), "n_simulations": 40, "rng": 5} | change
        with pytest.raises(ValueError, match=f"journal must be of the same search, got .*{message}"):
            Forest(**options, journal=journal)
    assert Forest(3, Uct(c=0.5), n_simulations=40, journal=journal).n_trees == 3


def test_damage_is_named_and_a_torn_end_is_not_damage(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    forest = begin(journal)
    step(forest)
    whole = saved(forest, tmp_path)
    size = journal.stat().st_size
    forest.ask(2)
    del forest
    journal.write_bytes(journal.read_bytes()[:-3])
    forest = Forest.resume(journal)
    assert saved(forest, tmp_path) == whole
    assert journal.stat().st_size == size
    del forest
    contents = bytearray(journal.read_bytes())
    contents[size - 30] ^= 1
    journal.write_bytes(contents)
    with pytest.raises(ValueError, match=r"journal: the record at byte \d+ does not match its checksum"):
        Forest.resume(journal)
    journal.write_bytes(b"something else altogether")
    with pytest.raises(ValueError, match="is not a journal"):
        Forest.resume(journal)
    with pytest.raises(FileNotFoundError):
        Forest.resume(tmp_path / "none")
    journal.write_bytes(b"")  # as programs leave it that only wanted the name
    step(begin(journal))
    assert Forest.resume(journal).simulations.sum() == 3


def test_without_a_journal_there_is_none_to_compact() -> None:
    with pytest.raises(ValueError, match="journal must be kept to be compacted"):
        begin(None).compact()
