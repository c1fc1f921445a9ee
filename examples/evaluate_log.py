"""Curves of a log of attempts, from Python: what a vote, a verifier and more attempts would bring.

python examples/evaluate_log.py [LOG]
"""

import sys

import slowthink
from slowthink.cli import shipped_log
from slowthink.samples import SampleLog


def main(path: str) -> None:
    log = SampleLog.read(path)
    print(log)
    print(f"{'k':>4}  {'pass@k':>22}  {'maj@k':>22}  {'best@k':>22}")
    ks = [1, 4, 16, 64]
    curves = [log.curve(metric, ks) for metric in ("pass@k", "maj@k", "best@k")]
    for k in ks:
        points = [curve.at(k) for curve in curves]
        cells = [f"{point.mean:.3f} [{point.low:.3f}, {point.high:.3f}]" for point in points]
        print(f"{k:>4}  " + "  ".join(f"{cell:>22}" for cell in cells))

    # Where does the vote mislead? There the right answer is found, and outvoted.
    k = int(log.num_samples.max())
    found = log.curve("pass@k", [k]).per_problem[:, 0]
    voted = log.curve("maj@k", [k]).per_problem[:, 0]
    misled = log.problems[(found == 1) & (voted == 0)]
    print(f"solved at least once, and outvoted: {len(misled)} of {log.n_problems} problems, such as {misled[0]!r}")


if __name__ == "__main__":
    print(f"slowthink {slowthink.__version__}")
    main(sys.argv[1] if len(sys.argv) > 1 else shipped_log())
