"""Are two models different? The paired difference on the same problems, beside the naive look at two intervals.

python examples/compare_players.py
"""

import make_game24_log as game
from slowthink.samples import SampleLog, compare


def play(n_puzzles: int, n_attempts: int, roughness: float) -> SampleLog:
    """A log of the arithmetic player, straight from its attempts."""
    rows = [row for table in game.puzzles(n_puzzles) for row in game.rows(table, n_attempts, roughness)]
    return SampleLog(**{name: [row[name] for row in rows] for name in ("problem", "answer", "gold", "score", "cost")})


def main(n_puzzles: int = 60, n_attempts: int = 16) -> None:
    rough, careful = play(n_puzzles, n_attempts, roughness=0.04), play(n_puzzles, n_attempts, roughness=0.02)
    a, b = careful.curve("pass@k", [1, 4, 16]), rough.curve("pass@k", [1, 4, 16])
    difference = compare(a, b)
    for i, k in enumerate(a.k):
        print(
            f"pass@{k:<3} careful {a.mean[i]:.3f} [{a.low[i]:.3f}, {a.high[i]:.3f}]   "
            f"rough {b.mean[i]:.3f} [{b.low[i]:.3f}, {b.high[i]:.3f}]   "
            f"difference {difference.difference[i]:+.3f} [{difference.low[i]:+.3f}, {difference.high[i]:+.3f}]"
        )


if __name__ == "__main__":
    main()
