"""From an audit that could not tell to what law, report, terminal and status say: the verdict stands, and one sentence
beside it names the probe and what it would need. A leak that was seen makes it invalid all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.audit.leaks import with_segment, with_step
from tests.audit.test_inconclusive import idle, with_fewer
from tests.capsule.finished import finish, write_study
from tests.studies import params_of
from tests.without_pixels import leave_pixels_out

from tsladder.artifacts.record import json_of
from tsladder.artifacts.store import read_json, write_json
from tsladder.audit.build import audit
from tsladder.audit.shuffled import LEARNS_FROM, LIMIT, shuffled_targets
from tsladder.audit.subject import Subject
from tsladder.places import Places
from tsladder.report.summary import verdict_lines
from tsladder.status.law_verdicts import read_verdicts
from tsladder.tracking.descriptions import law_description
from tsladder.vocabulary import Region

WINDOWS = 127
NEEDS = f"at least about {LEARNS_FROM} training windows; this study has {WINDOWS}"


@pytest.fixture(autouse=True, scope="module")
def drawings() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        leave_pixels_out(monkeypatch)
        yield


@pytest.fixture(scope="module")
def unclear(subject: Subject) -> Subject:
    """A study of few windows, whose small model learns nothing."""
    return with_step(with_fewer(subject, train=WINDOWS), train=idle)


@pytest.fixture(scope="module")
def inconclusive(unclear: Subject) -> dict[str, Any]:
    return json_of(audit(unclear))


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return write_study(tmp_path_factory.mktemp("unclear"))


def judged_under(places: Places, record: dict[str, Any]) -> dict[str, Any]:
    write_json(places.audit / "audit.json", record)
    finish(places)
    law: dict[str, Any] = read_json(places.law / "scaling.json")
    return law


def test_a_control_that_learns_nothing_on_127_windows_is_no_leak(inconclusive: dict[str, Any]) -> None:
    assert (inconclusive["passed"], inconclusive["outcome"]) == (False, "inconclusive")
    outcomes = {probe["name"]: probe["outcome"] for probe in inconclusive["probes"]}
    assert outcomes.pop("shuffled_targets") == "inconclusive"
    assert set(outcomes.values()) <= {"passed", "inconclusive"}
    assert inconclusive["probes"][0]["needs"] == NEEDS


def test_an_inconclusive_audit_leaves_every_verdict_and_says_beside_it_what_is_missing(
    places: Places, inconclusive: dict[str, Any]
) -> None:
    passed = [{**probe, "passed": True, "outcome": "passed", "needs": None} for probe in inconclusive["probes"]]
    before = judged_under(places, {"passed": True, "outcome": "passed", "probes": passed})
    law = judged_under(places, inconclusive)
    for horizon, judged in law["horizons"].items():
        assert judged["verdict"] != "invalid"
        assert judged["verdict"] == before["horizons"][horizon]["verdict"]
        assert judged["reason"] == before["horizons"][horizon]["reason"]
        assert NEEDS in judged["warnings"][0]
        assert before["horizons"][horizon]["warnings"] == judged["warnings"][1:]
    for file in ("report.md", "report.html"):
        text = (places.report / file).read_text()
        assert NEEDS in text
        for false in ("no figure below counts", "does not count", "every verdict is invalid", "leak audit failed"):
            assert false not in text
    lines = "\n".join(verdict_lines(places))
    assert NEEDS in lines
    assert "LEAK PROBE FAILED" not in lines
    seen = read_verdicts(places, params_of(places).horizons, law["study_key"], fresh=True)
    assert all(NEEDS in verdict.warnings[0] for verdict in seen.values())
    assert NEEDS in law_description(law)


def test_a_leak_beside_an_inconclusive_control_makes_every_verdict_invalid(places: Places, unclear: Subject) -> None:
    ((first, last),) = unclear.splits_records[1].splits.validation.segments
    record = json_of(audit(with_segment(unclear, 1, Region.VALIDATION, first - 10, last)))
    outcomes = {probe["name"]: probe["outcome"] for probe in record["probes"]}
    assert (record["passed"], record["outcome"]) == (False, "failed")
    assert (outcomes["shuffled_targets"], outcomes["shared_days"]) == ("inconclusive", "failed")
    law = judged_under(places, record)
    assert {judged["verdict"] for judged in law["horizons"].values()} == {"invalid"}
    assert "shared_days" in law["horizons"]["1"]["reason"]
    assert "shuffled_targets" not in law["horizons"]["1"]["reason"]
    assert "no figure below counts" in (places.report / "report.md").read_text()


@pytest.mark.slow
def test_the_real_control_is_conclusive_on_so_few_windows(subject: Subject) -> None:
    """Few windows are shown several times an epoch, so the audit tells on a small study, too."""
    finding = shuffled_targets(with_fewer(subject, train=WINDOWS))
    assert finding.passed, finding.words
    assert float(finding.numbers["control_z"]) > LIMIT
