"""A capsule tells the study again: the same law, the same figures, from its points alone."""

import io
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests import cell_files
from tests.capsule import finished
from tests.capsule.zips import contents_of, pack, with_manifest, write_zip
from tests.studies import params_of

from tsladder.artifacts.store import read_json, write_json
from tsladder.capsule.differences import differences
from tsladder.capsule.rebuild import UNSCORED, rebuild
from tsladder.errors import BadInput
from tsladder.law.build import law_of_study
from tsladder.places import Places
from tsladder.report.build import build_report

PICTURES = ("scaling.png", "residuals.png", "reliability.png", "shapes.png")


def rebuilt(capsule, out, **options):
    return rebuild(capsule, out, **options)


def test_every_figure_and_the_law_come_out_as_they_were(made, packed, tmp_path):
    built = rebuilt(packed, tmp_path / "out")
    assert built.differing == ()
    assert built.not_compared is None
    assert [line.split()[:2] for line in built.verdicts if line.startswith("h")] == [
        ["h1", "scales"],
        ["h3", "underpowered"],
    ]
    for name in PICTURES:
        there = made.report / name
        assert (tmp_path / "out" / name).exists() == there.exists()
        if there.exists():
            assert (tmp_path / "out" / name).read_bytes() == there.read_bytes()
    for name in ("scaling.json", "scaling.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (made.law / name).read_bytes()
    name = "experiment_results.csv"
    assert (tmp_path / "out" / name).read_bytes() == (made.report / name).read_bytes()


def test_the_report_is_the_studys_own_with_one_sentence_more(made, packed, tmp_path):
    rebuilt(packed, tmp_path / "out")
    ours = (made.report / "report.md").read_text()
    found = (tmp_path / "out" / "report.md").read_text()
    assert found.startswith(ours.rstrip("\n"))
    added = found.removeprefix(ours.rstrip("\n")).strip()
    assert added.startswith("Rebuilt from a study capsule")
    assert "\n" not in added


def test_the_versions_shown_are_those_of_the_capsule(packed, tmp_path):
    contents = contents_of(packed)
    environment = json.loads(contents["environment.json"])
    environment |= {"python": "3.99.1", "packages": [["torch", "0.0.7"], ["numpy", "0.0.8"]]}
    capsule = write_zip(
        tmp_path / "old.zip", with_manifest({**contents, "environment.json": json.dumps(environment).encode()})
    )
    rebuilt(capsule, tmp_path / "out")
    report = (tmp_path / "out" / "report.md").read_text()
    assert "| Python | 3.99.1 |\n| torch | 0.0.7 |\n| numpy | 0.0.8 |" in report


def test_the_same_study_gives_the_same_bytes_whenever_and_wherever_it_is_packed(made, packed, tmp_path):
    shutil.copytree(made.root, tmp_path / "elsewhere")
    for path in (tmp_path / "elsewhere").rglob("*"):
        path.touch()
    pack(Places(tmp_path / "elsewhere", tmp_path / "elsewhere"), tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()


def test_the_verdict_follows_the_points_and_not_the_stored_law(packed, tmp_path):
    """Stored verdicts are worth nothing: with the per-day losses of one rung changed, the law comes out otherwise."""
    contents = contents_of(packed)
    for cell in ("12k-h1", "30k-h1"):
        name = f"artifacts/scores/{cell}/predictions.parquet"
        frame = pd.read_parquet(io.BytesIO(contents[name]))
        frame["log_loss"] *= 0.4
        stream = io.BytesIO()
        frame.to_parquet(stream, index=False)
        contents[name] = stream.getvalue()
        scores = json.loads(contents[f"artifacts/scores/{cell}/scores.json"])
        for seed in scores["regions"]["test"]["seeds"].values():
            seed["log_loss"] *= 0.4
        contents[f"artifacts/scores/{cell}/scores.json"] = json.dumps(scores).encode()
    built = rebuilt(write_zip(tmp_path / "changed.zip", with_manifest(contents)), tmp_path / "out")
    changed = [str(each) for each in built.differing if each.path == "h1.verdict"]
    assert len(changed) == 1
    assert changed[0].startswith("h1.verdict: stored 'scales', computed here ")
    verdict = changed[0].rpartition("'")[0].rpartition("'")[2]
    assert any(line.startswith(f"h1  {verdict}") for line in built.verdicts)
    assert not [each for each in built.differing if each.path.startswith("h3")]


def test_a_stored_verdict_that_was_altered_is_named(packed, tmp_path):
    contents = contents_of(packed)
    law = json.loads(contents["artifacts/law/scaling.json"])
    law["horizons"]["3"]["verdict"] = "scales"
    contents["artifacts/law/scaling.json"] = json.dumps(law).encode()
    built = rebuilt(write_zip(tmp_path / "altered.zip", with_manifest(contents)), tmp_path / "out")
    assert [str(each) for each in built.differing] == ["h3.verdict: stored 'scales', computed here 'underpowered'"]


def test_everything_that_law_and_report_read_is_in_the_capsule(made, packed):
    """The oracle is what the interpreter opens."""
    inside = set(contents_of(packed))
    opened = set()
    watching = [True]

    def listen(event, arguments):
        if event == "open" and watching[0] and isinstance(arguments[0], str | Path):
            path = Path(arguments[0])
            if path.is_relative_to(made.root):
                opened.add(path.relative_to(made.root).as_posix())

    sys.addaudithook(listen)
    before = {path: path.read_bytes() for path in made.report.iterdir()}
    try:
        params = params_of(made)
        law_of_study(made, params)
        build_report(made, params)
    finally:
        watching[0] = False
    assert {path: path.read_bytes() for path in made.report.iterdir()} == before
    read = {name for name in opened if (made.root / name).exists() and not name.startswith("artifacts/report/")}
    assert len(read) > 30
    # Parquet is opened by a library of its own, past the interpreter.
    assert read - inside == set()
    assert {f"artifacts/scores/{cell}/predictions.parquet" for cell in ("12k-h1", "80k-h3")} <= inside


def test_there_are_no_weights_no_features_and_nothing_of_another_study_in_it(study, tmp_path):
    stray = study.scores(finished.Cell("750k", 1))
    write_json(stray / "scores.json", {"status": "done"})
    (study.root / ".env").write_text("TOKEN=secret")
    (study.artifacts / "audit" / "notes.txt").write_text("mine")
    pack(study, tmp_path / "study.zip")
    names = set(contents_of(tmp_path / "study.zip"))
    assert not [name for name in names if name.endswith((".safetensors", ".env", ".txt")) or name.startswith("data/")]
    assert "artifacts/features/features.parquet" not in names
    assert not [name for name in names if "750k" in name]
    assert "artifacts/plans/2M-h1.json" in names
    assert "artifacts/scores/2M-h1/scores.json" not in names


def test_a_second_phase_and_a_transfer_are_reported_too(study, tmp_path):
    summary = {
        **cell_files.head(finished.Cell("12k", 1)),
        "objective": "val_loss",
        "winner_score": -0.41,
        "trials_total": 24,
        "trials_done": 24,
        "best_score": None,
        "best_number": None,
        "best": None,
        "standard_error": None,
        "finished": None,
    }
    chosen = {"status": "done", "budgets": ["12k"], "reasons": {"12k": "its winner is the best but one"}}
    write_json(study.supplementary / "selection.json", chosen)
    write_json(study.supplementary / "12k-h1" / "summary.json", summary)
    winner = {"budget": "12k", "horizon": 1, "source": 3, "relative": 0.01, "low": -0.01, "high": 0.03}
    moved = {"status": "done", "verdict": "settings_transfer", "reason": "Within the margin.", "regrets": [winner]}
    moved |= {"region": "test", "confidence": 0.95, "seeds": 3, "margin": 0.02}
    write_json(study.transfer / "transfer.json", moved)
    shutil.copy(
        study.scores(finished.Cell("12k", 1)) / "predictions.parquet", study.transfer / "12k-h1-from-h3.parquet"
    )
    build_report(study, params_of(study))
    pack(study, tmp_path / "study.zip")
    assert "artifacts/transfer/12k-h1-from-h3.parquet" in contents_of(tmp_path / "study.zip")
    rebuilt(tmp_path / "study.zip", tmp_path / "out")
    found = (tmp_path / "out" / "report.md").read_text()
    assert found.startswith((study.report / "report.md").read_text().rstrip("\n"))
    assert "Within the margin." in found
    assert "its winner is the best but one" in found


def test_a_study_that_is_not_finished_is_reported_as_far_as_it_went(tmp_path):
    places = finished.write_study(tmp_path / "study", opened=(finished.OPEN,))
    manifest = pack_open(places, tmp_path / "open.zip")
    assert manifest.not_fresh == {"80k-h3": "pending"}
    built = rebuilt(tmp_path / "open.zip", tmp_path / "out")
    assert built.differing == ()
    assert "no law" in built.not_compared
    law = read_json(tmp_path / "out" / "scaling.json")
    dropped = {p["cell"]: p["dropped_reason"] for p in law["horizons"]["3"]["points"] if p["dropped"]}
    assert dropped == {"80k-h3": UNSCORED, "200k-h3": finished.REASON}
    assert law["horizons"]["3"]["verdict"] == "too_few_rungs"


def pack_open(places, path):
    from tsladder.capsule.pack import pack_study

    params = params_of(places)
    states = {str(cell): "pending" if cell == finished.OPEN else "fresh" for cell in params.cells}
    return pack_study(places, params, states, path)


def test_a_law_of_another_question_is_not_held_against_the_points(study, tmp_path):
    law = read_json(study.law / "scaling.json")
    write_json(study.law / "scaling.json", {**law, "study_key": "f" * 64})
    pack(study, tmp_path / "study.zip")
    built = rebuilt(tmp_path / "study.zip", tmp_path / "out")
    assert built.differing == ()
    assert "another question" in built.not_compared


def test_a_number_that_differs_in_its_last_digits_is_no_difference_and_one_that_differs_more_is():
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=50).tolist()
    stored = {"study_key": "k", "horizons": {"1": {"fits": numbers, "verdict": "flat", "ci": None}}}
    near = {
        "study_key": "k",
        "horizons": {"1": {"fits": [x * (1 + 1e-9) for x in numbers], "verdict": "flat", "ci": None}},
    }
    assert differences(stored, near) == ()
    far = {
        "study_key": "k",
        "horizons": {"1": {"fits": [numbers[0] * 1.001, *numbers[1:]], "verdict": "flat", "ci": 0}},
    }
    assert [each.path for each in differences(stored, far)] == ["h1.fits[0]", "h1.ci"]


@pytest.mark.parametrize("changed", [{"1": {}}, {}, {"1": {"verdict": True}}, {"1": {"verdict": "flat"}, "3": {}}])
def test_a_horizon_or_a_field_that_is_missing_or_new_is_a_difference(changed):
    stored = {"horizons": {"1": {"verdict": "flat"}}}
    assert differences(stored, {"horizons": changed}) != ()
    assert differences({"horizons": changed}, stored) != ()
    assert differences(stored, stored) == ()


def test_the_steps_are_reported_in_order_and_none_is_left_out(packed, tmp_path):
    steps = []
    rebuilt(packed, tmp_path / "out", on_step=lambda *step: steps.append(step))
    members = len(contents_of(packed)) - 1
    assert [(number, of) for _, number, of in steps] == [(k, members) for k in range(1, members + 1)] + [
        (1, 3),
        (2, 3),
        (3, 3),
    ]


def test_force_replaces_the_report_and_leaves_what_else_lies_there(packed, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("kept")
    (out / "report.md").write_text("old")
    with pytest.raises(BadInput, match="exists"):
        rebuilt(packed, out)
    assert (out / "report.md").read_text() == "old"
    rebuilt(packed, out, force=True)
    assert (out / "mine.txt").read_text() == "kept"
    assert (out / "report.md").read_text().startswith("# Study miniature")
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
