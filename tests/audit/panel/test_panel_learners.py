"""The baselines as learners keep the promises of the port."""

from __future__ import annotations

import pytest
from tests.audit.panel.learner_contract import LearnerContract

from tsladder.audit.panel.learner import BASELINES, Learner


@pytest.fixture(params=BASELINES, ids=lambda learner: learner.name)
def learner(request: pytest.FixtureRequest) -> Learner:
    made: Learner = request.param
    return made


class TestBaselines(LearnerContract):
    pass
