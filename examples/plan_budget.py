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

    # Stopping early. The Beta rule is meant for one look; looked at after every sample it gives away some certainty.
    # The e-value rule keeps its promise at all looks together, and asks for more samples.
    for rule in ("beta", "e-value"):
        drawn, right = stop_early(rule, n_questions=400, at_most=1000)
        print(f"stopping by the {rule} rule at .95: {drawn:.1f} samples a question, {right:.1%} right")


def stop_early(rule: str, n_questions: int, at_most: int) -> tuple[float, float]:
    """Draws a sample at a time for each question until its leading answer seems safe: samples used, share right."""
    rng = np.random.default_rng(1)
    counts = np.zeros((n_questions, len(p)), dtype=np.int64)
    running = np.arange(n_questions)
    for _ in range(at_most):
        counts[running, rng.choice(len(p), size=len(running), p=p)] += 1
        running = running[~should_stop(counts[running], threshold=0.95, rule=rule)]
        if not len(running):
            break
    return counts.sum(axis=1).mean(), (counts.argmax(axis=1) == 0).mean()


if __name__ == "__main__":
    main()
