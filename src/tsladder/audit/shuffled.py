"""Probe `shuffled_targets`: permuted labels, which carry no information, cannot be learned.

The labels of training and validation are permuted: in each region half of the windows, drawn at random, get a 1;
returns are put into another order (below, read IC for AUC and ridge for logistic; `rank` of each task has its null
distribution). Then the study's own pipeline runs on them. Nothing that a window may know says anything about such a
label, so a small model and the last-day logistic regression must rank validation no better than by chance, unless a
label reaches the inputs or the labels of validation reach the fitting. How a leak shows depends on where it sits:

- A label among the inputs (a column made of labels, statistics by label): training then learns to read it, and
  validation is ranked almost without error. The rank test below finds this. The probe also checks that the windows
  carry the labels handed in, and not others that the pipeline fetched for itself.
- Labels of validation used in fitting: their effect on skill is too small to be found reliably, but this check finds it
  with certainty: the same training labels beside other validation labels must leave the weights after ONE epoch (when
  there is no epoch to choose) and the baselines' forecasts the same, bit for bit.
- What shuffling cannot detect: a feature that knows future prices says nothing about a permuted label;
  `truncated_future` and `planted_future_feature` look for that. Windows shared by two regions: `shared_days`.

Why the labels of validation are permuted as well: against its real labels, a model fitted to noise leans on volatility
by accident, up or down, and does so on every day alike, so that it seems significantly right in half of all shuffles.
Against permuted labels the days are independent by construction, no bootstrap is needed, and the false alarm rate is
known. Why halves: at a base rate of one in a hundred neither the model nor a rank test would notice a label among the
inputs.

The rank test. Under the null hypothesis the AUC of n windows, half of them positive, has mean 1/2 and variance (n + 1)
/ (3 n^2) (Mann and Whitney 1947; ties only lower it). The deviations of the PERMUTATIONS are pooled into one z, which
must not exceed LIMIT. For the logistic regression this has a probability of 1e-9. The model's epoch is chosen on the
same labels: the best of four draws lies on average at most 1.03 standard deviations above their mean, so the mean of
the pooled z is at most 2.06 and its standard deviation at most 1. Even both together leave a probability of 4e-5; in 60
permutations of the default study (2026-11) the pooled z had a mean of 0.9 and a standard deviation of 1.0, which leaves
1e-7. A label among the inputs gives a z of 17 with 100 windows and 53 with 926. Each run checks that the small model
could find such a label: it is trained on windows one of whose columns is the label, and unless its z exceeds the limit
the probe is inconclusive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tsladder.audit.finding import Finding, Number, outcome_of
from tsladder.audit.permutation import label_among_inputs, permute
from tsladder.audit.small_model import SmallModelResult
from tsladder.audit.subject import Floats, Subject
from tsladder.data.windows import WindowSet
from tsladder.tasks.parts.label_audit import LabelAudit, Ranking
from tsladder.vocabulary import Region

PERMUTATIONS = 4
LIMIT = 6.0
LEARNS_FROM = 150
"""Number of training windows from which the control exceeded the limit in every training that was measured, on 127
validation windows of 25 columns, all families and patches of 40 days (docs/decisions.md)."""

_NAME = "shuffled_targets"

Cut = tuple[WindowSet, WindowSet]
"""The models' windows and the baselines' windows."""


def shuffled_targets(subject: Subject) -> Finding:
    horizon, pipeline, labels = subject.first_horizon, subject.pipeline, subject.label_audit
    real = subject.windows(horizon)
    permuted = [permute(subject, real, training=number, validation=number) for number in range(PERMUTATIONS)]
    cuts = [pipeline.both_windows(subject.table, subject.splits(horizon), y_T) for y_T in permuted]
    learned = [pipeline.train(windows, None) for windows, _ in cuts]
    control = pipeline.train(label_among_inputs(cuts[0][0], labels.encoded(permuted[0])), None)
    forecasts = [_forecasts(subject, cut) for cut in cuts]
    with_other_labels = sum(not _have_labels(cut, y_T) for cut, y_T in zip(cuts, permuted, strict=True))
    leaking = _outputs_changed_by_validation_labels(subject, real, cuts[0], forecasts[0])
    y_DN = [windows.validation.y_N.astype(np.float64) for windows, _ in cuts]
    linear = labels.rank(y_DN, [one[labels.linear] for one in forecasts])
    numbers: dict[str, Number] = {
        "horizon": horizon,
        "deals": PERMUTATIONS,
        "windows": len(real.validation),
        "limit_z": LIMIT,
        "deals_with_other_labels": with_other_labels,
        "peeking": ", ".join(leaking) or "none",
    }
    ranked = {f"the last-day {labels.linear_name}": linear}
    broken = [one.ended for one in (*learned, control) if one.p_N is None]
    model = seen = None
    if not broken:
        model = ranked["the small model"] = labels.rank(y_DN, _model_forecasts(learned))
        seen = labels.rank(y_DN[:1] * PERMUTATIONS, _model_forecasts([control] * PERMUTATIONS))
        numbers |= model.numbers("model")
    numbers |= linear.numbers(labels.linear_name)
    if seen is not None:
        numbers |= {f"control_{seen.statistic}": round(seen.value, 3), "control_z": round(seen.z, 1)}
    z, who = max((ranking.z, who) for who, ranking in ranked.items())
    leak, needs = bool(with_other_labels or leaking or z > LIMIT), None
    if with_other_labels:
        words = "Windows carried other labels than the permuted ones: the pipeline has labels of its own."
    elif z > LIMIT:
        words = f"With permuted labels {who} still ranks validation (z = {z:.1f}): labels are in the inputs."
    elif leaking:
        words = f"Other labels on validation alone changed {' and '.join(leaking)}: fitting sees validation's labels."
    elif model is None or seen is None:
        words = f"The small model could not be trained (it ended {broken[0]}), so a leak through it was not looked for."
        needs = "a small model that trains to the end"
    elif seen.z <= LIMIT:
        words = (
            f"The small model did not even learn labels shown to it openly ({seen.words()} on "
            f"{len(real.validation)} windows), so it could have missed a leak."
        )
        needs = _required_sample(labels, seen, training=len(real.train), validation=len(real.validation))
    else:
        words = (
            f"With permuted labels neither the small model ({model.words()}) nor the last-day "
            f"{labels.linear_name} ({linear.value:.2f}) knows anything, and validation's labels change nothing that "
            "is fitted."
        )
    inconclusive = seen is None or seen.z <= LIMIT
    return Finding(
        name=_NAME, outcome=outcome_of(leak=leak, inconclusive=inconclusive), numbers=numbers, words=words, needs=needs
    )


def _required_sample(labels: LabelAudit, seen: Ranking, *, training: int, validation: int) -> str:
    """Return what the control would need to exceed LIMIT, by the rank test itself and by measurements of training."""
    least = labels.windows_to_rank(1.0, LIMIT, PERMUTATIONS)
    if validation < least:
        return f"at least about {least} validation windows; this study has {validation}"
    ways = []
    if training < LEARNS_FROM:
        ways.append(f"at least about {LEARNS_FROM} training windows; this study has {training}")
    if seen.z > LIMIT / 2.0:
        enough = labels.windows_to_rank(seen.value, LIMIT, PERMUTATIONS)
        ways.append(f"about {enough} validation windows at the {seen.words()} it reached; this study has {validation}")
    if not ways:
        ways.append(
            f"a small model that learns what it is shown: the {training} training windows of this study are enough by "
            "all that was measured"
        )
    return ", or ".join(ways)


def _model_forecasts(learned: Sequence[SmallModelResult]) -> list[Floats]:
    return [one.p_N for one in learned if one.p_N is not None]


def _forecasts(subject: Subject, cut: Cut) -> Mapping[str, Floats]:
    return subject.pipeline.forecasts(*cut, subject.table, Region.VALIDATION)


def _have_labels(cut: Cut, y_T: Floats) -> bool:
    """Check whether the windows carry the labels `y_T`, in the precision of the windows."""
    regions = [windows.region(region) for windows in cut for region in (Region.TRAIN, Region.VALIDATION)]
    return all(np.array_equal(region.y_N, y_T[region.ends_N].astype(region.y_N.dtype)) for region in regions)


def _outputs_changed_by_validation_labels(
    subject: Subject, real: WindowSet, cut: Cut, forecasts: Mapping[str, Floats]
) -> list[str]:
    """Return the outputs of one epoch and of the baselines that change when only the labels of validation are permuted
    differently."""
    y_T = permute(subject, real, training=0, validation=PERMUTATIONS)
    other = subject.pipeline.both_windows(subject.table, subject.splits(subject.first_horizon), y_T)
    once, again = subject.pipeline.train(cut[0], 1), subject.pipeline.train(other[0], 1)
    changed = ["the small model's weights"] if once.weights != again.weights else []
    fitted = _forecasts(subject, other)
    return changed + [name for name, p_N in forecasts.items() if not np.array_equal(p_N, fitted[name])]
