"""Slow twin of the keys-finding mazes: rules, breadth-first search and success probabilities in plain Python.

A world is the agent's room and, for each colour, the room of its key, "hand" or "door" (used). The layout of a maze is
given: rooms numbered in the order of reading, doors as pairs of rooms with the colour of the lock or None.
"""

from __future__ import annotations

from collections import deque
from typing import Any, TypeAlias

World: TypeAlias = "tuple[int, tuple[int | str, ...]]"

SIDES = {"up": (-1, 0), "left": (0, -1), "right": (0, 1), "down": (1, 0)}


class KeysMaze:
    """One maze."""

    def __init__(self, rows: int, columns: int, layout: dict[str, Any]) -> None:
        self.rows, self.columns = rows, columns
        self.doors: dict[tuple[int, int], str | None] = layout["doors"]
        self.start, self.goal = layout["start"], layout["goal"]
        self.colors = tuple(layout["keys"])
        self.root: World = (self.start, tuple(layout["keys"].values()))

    def beside(self, room: int, side: str) -> int | None:
        """The next room on a side, whatever is between."""
        row, column = room // self.columns + SIDES[side][0], room % self.columns + SIDES[side][1]
        return row * self.columns + column if 0 <= row < self.rows and 0 <= column < self.columns else None

    def moves(self, world: World) -> dict[str, World]:
        """What each action leads to, in the order of the actions; none at the goal."""
        room, keys = world
        if room == self.goal:
            return {}
        found: dict[str, World] = {}
        locks = set()
        for side in SIDES:
            other = self.beside(room, side)
            if other is None:
                continue
            pair = (min(room, other), max(room, other))
            if pair not in self.doors:
                continue
            lock = self.doors[pair]
            if lock is None or keys[self.colors.index(lock)] == "door":
                found[side] = (other, keys)
            else:
                locks.add(lock)
        for i, color in enumerate(self.colors):
            if keys[i] == "hand" and color in locks:
                found[f"unlock {color}"] = (room, (*keys[:i], "door", *keys[i + 1 :]))
        for i, color in enumerate(self.colors):
            if keys[i] == room:
                after = [room if place == "hand" else place for place in keys]
                after[i] = "hand"
                found[f"take {color}"] = (room, tuple(after))
        return found

    def distance(self, world: World) -> int:
        """Steps of a shortest way to the goal, by breadth-first search."""
        return self.search(world)[0]

    def search(self, world: World) -> tuple[int, list[tuple[int, str]]]:
        """Steps to the goal, and the number of the world before, and the action, of each world that is found."""
        steps, numbers, found = {world: 0}, {world: 0}, []
        queue = deque([world])
        if world[0] == self.goal:
            return 0, []
        while queue:
            now = queue.popleft()
            for action, after in self.moves(now).items():
                if after in steps:
                    continue
                steps[after], numbers[after] = steps[now] + 1, len(numbers)
                found.append((numbers[now], action))
                queue.append(after)
                if after[0] == self.goal:
                    return steps[after], found
        raise AssertionError("the goal cannot be reached")

    def policy(self, world: World, greed: float) -> dict[str, float]:
        """With probability greed one of the actions on a shortest way, else any of them."""
        moves = self.moves(world)
        distances = {action: self.distance(after) for action, after in moves.items()}
        best = [action for action in moves if distances[action] == min(distances.values())]
        return {action: (1 - greed) / len(moves) + (action in best) * greed / len(best) for action in moves}

    def success_probability(self, world: World, n_steps: int, greed: float) -> float:
        """The probability that the goal is reached within so many steps: the law of the world, step by step."""
        law, reached = {world: 1.0}, 0.0
        policies: dict[World, dict[str, float]] = {}
        for step in range(n_steps + 1):
            reached += sum(p for now, p in law.items() if now[0] == self.goal)
            if step == n_steps:
                break
            after: dict[World, float] = {}
            for now, p in law.items():
                if now[0] == self.goal:
                    continue
                if now not in policies:
                    policies[now] = self.policy(now, greed)
                moves = self.moves(now)
                for action, share in policies[now].items():
                    if share > 0:
                        after[moves[action]] = after.get(moves[action], 0.0) + p * share
            law = after
        return reached

    def line(self, world: World) -> str:
        """The world in a line."""
        room, keys = world
        text = self.name(room)
        text += "".join(f" with {color}" for color, place in zip(self.colors, keys, strict=True) if place == "hand")
        for color, place in zip(self.colors, keys, strict=True):
            if place == "door":
                text += f", {color} used"
            elif isinstance(place, int):
                text += f", {color} at {self.name(place)}"
        return text

    def name(self, room: int) -> str:
        """Column as a letter, row as a number."""
        return "ABCDEFGHIJ"[room % self.columns] + str(room // self.columns + 1)
