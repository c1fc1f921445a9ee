"""Driving a forest over slow evaluators, such as language models behind a server: many calls at once, no barrier."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from slowthink.trees._expansion import DriveReport, Expansion, Failure, Leaf

if TYPE_CHECKING:
    from slowthink._slowthink import Leaves
    from slowthink.trees._forest import Forest

T = TypeVar("T")

Expand: TypeAlias = Callable[[Leaf], Awaitable["Expansion | Mapping[str, Any]"]]
Evaluate: TypeAlias = Callable[[Leaf, Expansion], Awaitable[float]]
Stop: TypeAlias = Callable[[Leaf, Expansion], bool]

_KEYS = frozenset(key.name for key in fields(Expansion))


@dataclass(frozen=True)
class Settings:
    """How a drive goes: the parameters of :meth:`Forest.drive`."""

    concurrency: int
    per_tree: int
    retries: int
    timeout: float | None
    backoff: float
    max_backoff: float
    retry_on: tuple[type[BaseException], ...]
    n_simulations: int | None
    max_cost: float | None
    max_seconds: float | None
    on_failure: Literal["skip", "raise"]


class _GivenUp(Exception):
    """A call that failed to the last."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


class Driver:
    """One drive: a task for each leaf in flight, and a loop that asks for more leaves as they end."""

    def __init__(
        self,
        forest: Forest,
        expand: Expand,
        evaluate: Evaluate | None,
        stop: Stop | None,
        progress: Callable[[int, int], object] | None,
        settings: Settings,
    ) -> None:
        self.forest = forest
        self.expand = expand
        self.evaluate = evaluate
        self.stop = stop
        self.progress = progress
        self.settings = settings
        self.report = DriveReport()
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.of_tree: dict[int, set[int]] = {}
        self.set_aside: dict[int, int] = {}
        self.error: BaseException | None = None
        self.woken = asyncio.Event()
        self.share = 1
        self.started = self.last = self.busy = 0.0

    async def run(self) -> DriveReport:
        """Until nothing is left to do or a budget is spent. However it ends, no count of what was in flight stays."""
        now = asyncio.get_running_loop().time
        self.started = self.last = now()
        try:
            while self.error is None:
                self.woken.clear()
                left = None
                if self.settings.max_seconds is not None:
                    left = self.started + self.settings.max_seconds - now()
                    if left <= 0:
                        self.report.reason = "max_seconds"
                        break
                self._fill()
                if not self.tasks:
                    break
                try:
                    await asyncio.wait_for(self.woken.wait(), left)
                except asyncio.TimeoutError:
                    continue
            if self.error is not None:
                raise self.error
        finally:
            await self._take_back(list(self.tasks))
            for tree, limit in self.set_aside.items():
                self.forest._set_limit(tree, limit)
            self.report.seconds = now() - self.started
            if self.report.seconds > 0:
                self.report.utilisation = self.busy / (self.report.seconds * self.settings.concurrency)
        return self.report

    def _fill(self) -> None:
        """Asks for as many leaves as there are free slots.

        Every tree has its share of the slots: one while there are more trees than slots, and more as trees end. Where
        the trees cannot use up their shares, because what they could ask next depends on what is in flight, the others
        get more than theirs: a free slot is worth less than a serial search.
        """
        self._look_at_the_clock()
        free = self.settings.concurrency - len(self.tasks)
        budget, cost = self.settings.n_simulations, self.settings.max_cost
        if budget is not None:
            free = min(free, budget - self.report.n_simulations - len(self.tasks))
            if self.report.n_simulations >= budget:
                self.report.reason = "n_simulations"
        if cost is not None and self.report.cost >= cost:
            self.report.reason, free = "max_cost", 0
        if free <= 0:
            return
        free -= self._ask(free, self.share)
        if free == 0:
            return
        alive = max(1, self.forest.n_trees - int(self.forest.done.sum()) - len(self.set_aside))
        self.share = share = max(1, -(-self.settings.concurrency // alive))
        most = min(self.settings.per_tree, self.settings.concurrency)
        while True:
            free -= self._ask(free, min(share, most))
            if free == 0 or share >= most:
                return
            share *= 2

    def _ask(self, n: int, per_tree: int) -> int:
        leaves = self.forest.ask(n, per_tree=min(per_tree, self.settings.per_tree))
        for i in range(len(leaves)):
            leaf = self._leaf(leaves, i)
            task = asyncio.create_task(self._work(leaf))
            self.tasks[leaf.ticket] = task
            self.of_tree.setdefault(leaf.tree, set()).add(leaf.ticket)
            task.add_done_callback(lambda task, leaf=leaf: self._ended(leaf, task))  # type: ignore[misc]
        return len(leaves)

    def _leaf(self, leaves: Leaves, i: int) -> Leaf:
        ticket = int(leaves.ticket[i])
        return Leaf(
            ticket=ticket,
            tree=int(leaves.tree[i]),
            node=int(leaves.node[i]),
            parent=int(leaves.parent[i]),
            action=int(leaves.action[i]),
            depth=int(leaves.depth[i]),
            kind=int(leaves.kind[i]),
            payloads=tuple(self.forest._texts(ticket) or ()),
            _actions=tuple(leaves.path(i)),
        )

    async def _work(self, leaf: Leaf) -> None:
        """Has one leaf expanded and evaluated, and tells the forest."""
        try:
            expansion = _expansion(await self._call(lambda: self.expand(leaf)))
            two_stages = expansion.value is None and self.evaluate is not None
            self._tell(leaf, expansion)
            if two_stages:
                self.woken.set()  # there are children to ask for
                evaluate = self.evaluate
                assert evaluate is not None
                value = float(await self._call(lambda: evaluate(leaf, expansion)))
                expansion = Expansion(**{**{key: getattr(expansion, key) for key in _KEYS}, "value": value})
                self.report.n_simulations += self.forest.tell([leaf.ticket], value)
            if self.progress is not None:
                self.progress(self.report.n_simulations, self.settings.n_simulations or self.report.n_simulations)
            if self.stop is not None and self.stop(leaf, expansion):
                self._stop_tree(leaf)
        except asyncio.CancelledError:
            self.report.n_cancelled += self.forest.cancel([leaf.ticket])
            raise
        except _GivenUp as given_up:
            self._give_up(leaf, given_up.error)
        except BaseException as error:
            # What is not to be tried again is a mistake in a coroutine, or a wish to end.
            self.forest.cancel([leaf.ticket])
            self.error = error

    def _tell(self, leaf: Leaf, expansion: Expansion) -> None:
        self.report.n_simulations += self.forest.tell(
            [leaf.ticket],
            expansion.value,
            rewards=expansion.reward or None,
            n_children=expansion.n_children,
            priors=expansion.priors,
            terminal=expansion.terminal or None,
            players=expansion.player,
            cost=expansion.cost,
            payload=None if expansion.payload is None else [expansion.payload],
        )
        self.report.cost += expansion.cost

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of a call that is tried again, after a pause that doubles, when it fails."""
        for attempt in range(self.settings.retries + 1):
            self.report.n_calls += 1
            try:
                return await asyncio.wait_for(call(), self.settings.timeout)
            except self.settings.retry_on as error:
                self.report.n_timeouts += isinstance(error, asyncio.TimeoutError)
                if attempt == self.settings.retries:
                    raise _GivenUp(error) from error
            self.report.n_retries += 1
            pause = min(self.settings.max_backoff, self.settings.backoff * 2.0**attempt)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # else all come back at the same instant
        raise AssertionError("the last attempt returns or raises")

    def _give_up(self, leaf: Leaf, error: BaseException) -> None:
        """Takes a leaf back, and asks nothing further of its tree, which would ask for the same leaf again."""
        self.forest.cancel([leaf.ticket])
        self.report.failures.append(Failure(leaf.tree, tuple(leaf.path()), error))
        if self.settings.on_failure == "raise":
            self.error = error
        elif leaf.tree not in self.set_aside:
            self.set_aside[leaf.tree] = self.forest._set_limit(leaf.tree, 0)

    def _stop_tree(self, leaf: Leaf) -> None:
        if leaf.tree in self.report.stopped:
            return
        self.report.stopped.append(leaf.tree)
        self.forest.stop([leaf.tree])
        for ticket in self.of_tree.get(leaf.tree, ()):
            if ticket != leaf.ticket:
                self.tasks[ticket].cancel()

    def _ended(self, leaf: Leaf, task: asyncio.Task[None]) -> None:
        self._look_at_the_clock()
        del self.tasks[leaf.ticket]
        self.of_tree[leaf.tree].discard(leaf.ticket)
        # A task that was cancelled before its first step never took its leaf back.
        self.report.n_cancelled += self.forest.cancel([leaf.ticket])
        if not task.cancelled() and task.exception() is not None:
            self.error = task.exception()
        self.woken.set()

    async def _take_back(self, tickets: list[int]) -> None:
        tasks = [self.tasks[ticket] for ticket in tickets]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.report.n_cancelled += self.forest.cancel(tickets)

    def _look_at_the_clock(self) -> None:
        now = asyncio.get_running_loop().time()
        self.busy += len(self.tasks) * (now - self.last)
        self.last = now


def _expansion(found: Expansion | Mapping[str, Any]) -> Expansion:
    if isinstance(found, Expansion):
        return found
    if not isinstance(found, Mapping):
        raise TypeError(f"expand must return an Expansion or a dict, got {type(found).__name__}")
    unknown = set(found) - _KEYS
    if unknown:
        raise TypeError(f"expand returned an unknown key, {sorted(map(str, unknown))[0]!r}")
    return Expansion(**found)
