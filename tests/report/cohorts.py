"""Made-up trials of a search, to ask what they show."""

import numpy as np

from tsladder.report.patterns.trials import Cohort, CompleteTrial


def cohort(ratios, scores, *, left_out=0, **settings):
    """Trials of the given layers over width (in thousandths), in this order. `settings`: a value a trial, by name."""
    trials = [
        CompleteTrial(
            number=number,
            score=float(score),
            shape=(1000, ratio),
            coordinates={
                "depth_to_width": ratio / 1000,
                **{name: float(values[number]) for name, values in settings.items()},
            },
        )
        for number, (ratio, score) in enumerate(zip(ratios, scores, strict=True))
    ]
    return Cohort(trials=tuple(trials), left_out=left_out)


def random_cohort(rng, n):
    """Trials whose scores know nothing of anything else."""
    return cohort(
        rng.integers(1, 200, n),
        rng.normal(size=n),
        learning_rate=np.exp(rng.uniform(-9.0, -6.0, n)),
        weight_decay=np.exp(rng.uniform(-9.0, -5.0, n)),
        dropout=rng.uniform(0.1, 0.3, n),
    )
