"""How many samples does it take? A vote, a verifier, and stopping early, before any of it is paid for.

python examples/plan_budget.py
"""

import numpy as np
from slowthink.samples import best_of_n_probability, plurality_probability, samples_needed, should_stop

# A model that is right 40 % of the time, and has one favourite mistake.
p = np.array([0.40, 0.30, 0.10, 0.10, 0.10])


def main() -> None:
    vote = samples_needed(p, strategy="majority", confidence=0.95)
    verifier = samples_needed(p, strategy="best-of-n", confidence=0.95)
    print(f"95 % sure of the right answer: {vote} samples by vote, {verifier} with a perfect verifier")
    for n in (1, 5, 21, 101):
        print(f"{n:>4} samples: vote {plurality_probability(p, n):.3f}, verifier {best_of_n_probability(p, n):.3f}")

    # Stopping early: draw one sample at a time until the leader is safe, 400 questions at once.
    rng = np.random.default_rng(1)
    counts = np.zeros((400, len(p)), dtype=np.int64)
    drawn = np.zeros(400, dtype=np.int64)
    running = np.ones(400, dtype=bool)
    while running.any() and drawn.max() < vote:
        answers = rng.choice(len(p), size=running.sum(), p=p)
        counts[np.flatnonzero(running), answers] += 1
        drawn[running] += 1
        running &= ~should_stop(counts, threshold=0.95)
    right = (counts.argmax(axis=1) == 0).mean()
    print(f"stopping early: {drawn.mean():.1f} samples a question instead of {vote}, {right:.1%} right")


if __name__ == "__main__":
    main()
