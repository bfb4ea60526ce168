"""How often depth against width "shows" in a search where only the learning rate matters: python benchmarks/patterns.py

Trials by TPE as the search draws them, one at a time, after six random ones. Scores are permuted over all trials at
once, and within blocks of consecutive trials. About four minutes on one core.
"""

from __future__ import annotations

import numpy as np
import optuna
from optuna.samplers import TPESampler

from tsladder.report.patterns.ranks import rank_correlation

NAMES = ("depth_to_width", "learning_rate", "weight_decay", "dropout")
FORCED = 6
SEARCHES = 200
BLOCKS = (6, 8, 10, 15)


def search(n: int, noise: float, seed: int) -> tuple[list[float], list[float]]:
    """Depth to width and score of n trials."""
    rng = np.random.default_rng(seed)
    sampler = TPESampler(n_startup_trials=FORCED, seed=seed, multivariate=True, constant_liar=True)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    ratios, scores = [], []
    for _ in range(n):
        trial = study.ask()
        drawn = {name: trial.suggest_float(name, -1.0, 1.0) for name in NAMES}
        score = -((drawn["learning_rate"] - 0.4) ** 2) + noise * rng.normal()
        study.tell(trial, score)
        ratios.append(drawn["depth_to_width"])
        scores.append(score)
    return ratios, scores


def main() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print("trials  noise  at once  " + "  ".join(f"blocks of {block}" for block in BLOCKS))
    for n in (8, 30, 50):
        for noise in (0.3, 0.1):
            found = [search(n, noise, seed) for seed in range(SEARCHES)]
            shares = []
            for block in (n, *BLOCKS):
                correlations = [rank_correlation(ratios, scores, 0, block) for ratios, scores in found]
                shares.append(np.mean([c is not None and c.p_two_sided <= 0.05 for c in correlations]))
            print(f"{n:6}  {noise:5}  " + "  ".join(f"{share:7.3f}" for share in shares), flush=True)


if __name__ == "__main__":
    main()
