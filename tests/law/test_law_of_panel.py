"""The stage fit of a panel study: from the files of its stages to the law, its files and its registered model."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from tests.report.panel.finished import params, write_finished

from tsladder.artifacts.audit import PANEL_PROBES
from tsladder.artifacts.law import law_of_plain, read_law
from tsladder.artifacts.plans import SearchPlan, read_plan
from tsladder.artifacts.store import write_json
from tsladder.errors import WorkFailed
from tsladder.families.parts.geometry import Geometry
from tsladder.law.build import fit_law, law_of_study
from tsladder.law.cost import StudyCost
from tsladder.places import Places
from tsladder.tracking.memory import MemoryTracker
from tsladder.vocabulary import RANK_ERROR, Cell


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Places:
    places = write_finished(tmp_path_factory.mktemp("panel"), horizon=1, law=False)
    probes = [
        {
            "name": name,
            "title": title,
            "passed": True,
            "numbers": {},
            "words": title,
            "outcome": "passed",
            "needs": None,
        }
        for name, title in PANEL_PROBES.items()
    ]
    write_json(places.audit_record, {"passed": True, "outcome": "passed", "probes": probes})
    return places


def test_the_cells_of_a_panel_study_give_its_law(study: Places) -> None:
    law = law_of_study(study, params(1))
    found = law.horizons[1]
    assert law.metric == RANK_ERROR
    assert [point.cell for point in found.kept] == ["12k-h1", "25k-h1", "50k-h1"]
    assert found.reason.startswith("RankIC per tenfold size: ")
    assert found.rank_ic_per_tenfold is not None
    assert found.fits.power is not None
    assert found.fits.power.alpha_ci_days is not None
    assert {option.what for option in found.settle_options} <= {"rungs", "days", "seeds"}


def test_the_stage_writes_the_law_and_registers_it_with_its_rank_ic(study: Places) -> None:
    tracker = MemoryTracker()
    fit_law(study, params(1), tracker)
    law = read_law(study.scaling)
    assert law == law_of_study(study, params(1))
    (record,) = tracker.registered
    assert law_of_plain(json.loads(json.dumps(record, allow_nan=False)), "the registered model") == law
    (run,) = tracker.runs()
    gain = law.horizons[1].rank_ic_per_tenfold
    assert gain is not None
    assert run.metrics["rank_ic_per_tenfold_h1"] == pytest.approx(gain.value)
    assert run.metrics["rank_ic_per_tenfold_low_h1"] == pytest.approx(gain.low)
    assert run.tags["tier"] == "s9"
    assert (study.law / "scaling.png").read_bytes().startswith(b"\x89PNG")


def test_further_seeds_and_rungs_are_priced_from_the_days_that_an_epoch_sees(study: Places) -> None:
    asked = params(1)
    whole, half = (
        StudyCost.of_horizon(
            study,
            dataclasses.replace(asked, training=dataclasses.replace(asked.training, train_every=every)),
            1,
            geometry,
        )
        for every, geometry in ((1, _geometry(study)), (2, _geometry(study)))
    )
    assert whole is not None
    assert half is not None
    assert half.run.train_windows == -(-whole.run.train_windows // 2)
    dear, cheap = whole.more_seeds([12_000.0], 1), half.more_seeds([12_000.0], 1)
    assert dear is not None
    assert cheap is not None
    assert 0.0 < cheap < dear


def _geometry(study: Places) -> Geometry:
    plan = read_plan(SearchPlan, study.search_plan(Cell("12k", 1)))
    assert isinstance(plan, SearchPlan)
    return plan.question.model


def test_a_law_without_the_audit_of_panels_is_refused(study: Places, tmp_path: Path) -> None:
    bare = write_finished(tmp_path, horizon=1, law=False)
    bare.audit_record.unlink()
    with pytest.raises(WorkFailed, match="run `dvc repro audit` first"):
        law_of_study(bare, params(1))
