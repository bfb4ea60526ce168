"""A miniature study to audit; its leaks are planted test by test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.studies import make_study, prepare

from tsladder.artifacts.plans import AuditPlan, read_plan
from tsladder.audit.build import open_subject
from tsladder.audit.subject import Subject
from tsladder.evaluation import estimators
from tsladder.places import Places

DAYS = 2600


@pytest.fixture(scope="package", autouse=True)
def few_trees(pytestconfig: pytest.Config) -> Iterator[None]:
    """Fit baselines with a quarter of their trees, except in the slow tests: what a probe finds does not depend on how
    well they forecast."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        if pytestconfig.getoption("markexpr") != "slow":
            monkeypatch.setitem(estimators._TREES, "max_iter", estimators.TREES // 4)
        yield


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Features, splits and plans of two horizons; of so many days that the small model is trained in half the steps
    that it takes on few windows (LEAST_VIEWS)."""
    places = make_study(tmp_path_factory.mktemp("audited"), days=DAYS, horizons=[1, 3])
    prepare(places)
    return places


@pytest.fixture(scope="session")
def subject(study: Places) -> Subject:
    return open_subject(study, read_plan(AuditPlan, study.audit_plan))


@pytest.fixture(scope="session")
def shorter(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A study of a third of the days."""
    places = make_study(tmp_path_factory.mktemp("shorter"))
    prepare(places)
    return open_subject(places, read_plan(AuditPlan, places.audit_plan))


@pytest.fixture(scope="session")
def in_blocks(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A study unlike the other in every choice that has two ways."""
    places = make_study(
        tmp_path_factory.mktemp("blocks"),
        horizons=[2],
        data__tier="a20",
        data__ohlcv=False,
        target__task="direction",
        windows__normalisation="revin",
        splits__kind="chunks",
        splits__block_days=60,
    )
    prepare(places)
    return open_subject(places, read_plan(AuditPlan, places.audit_plan))


@pytest.fixture(scope="session")
def walking(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A study that walks forward in three folds."""
    places = make_study(
        tmp_path_factory.mktemp("walking"),
        horizons=[2],
        splits__kind="walk_forward",
        splits__folds=3,
        splits__purge_days=4,
        splits__embargo_days=3,
        splits__validation_fraction=0.3,
    )
    prepare(places)
    return open_subject(places, read_plan(AuditPlan, places.audit_plan))
