"""The audit's small model finds one column among many: else `shuffled_targets` would be blind on the large tiers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.studies import make_study, params_of, synthetic_bars, verb

from tsladder.artifacts.plans import AuditPlan, read_plan
from tsladder.audit.build import open_subject
from tsladder.audit.permutation import label_among_inputs, permute
from tsladder.audit.shuffled import LIMIT, PERMUTATIONS
from tsladder.audit.small_model import STEPS, steps_to_learn


@pytest.mark.slow
def test_a_label_shown_openly_is_learned_among_two_hundred_columns(tmp_path: Path) -> None:
    places = make_study(tmp_path, data__tier="a200", budget="80k", ladder=["80k"])
    synthetic_bars(2500).to_parquet(places.bars("tiny"), index=False)
    for name in ("inputs", "features", "splits", "plan"):
        verb(name)(places, params_of(places))
    subject = open_subject(places, read_plan(AuditPlan, places.audit_plan))
    windows = subject.windows(1)
    y_T = permute(subject, windows, training=0, validation=0)
    permuted = subject.pipeline.windows(subject.table, subject.splits(1), y_T)
    learned = subject.pipeline.train(label_among_inputs(permuted, subject.label_audit.encoded(y_T)), None)
    assert learned.p_N is not None
    y_N = permuted.validation.y_N.astype(np.float64)
    assert subject.label_audit.rank([y_N] * PERMUTATIONS, [learned.p_N] * PERMUTATIONS).z > LIMIT


def test_the_default_tiers_take_as_many_steps_as_ever() -> None:
    assert steps_to_learn(25) == steps_to_learn(33) == steps_to_learn(55) == STEPS
    assert steps_to_learn(205) > 3 * STEPS
