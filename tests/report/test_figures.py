"""The report's pictures: what they draw is right, the same files draw the same bytes, and no picture is empty."""

import dataclasses
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm
from tests.lines import trial_line
from tests.report import studies
from tests.report.whole_study import write_whole

from tsladder.artifacts.trials import TrialRecord
from tsladder.law.curve.power_law import fit_power
from tsladder.report.build import build_report
from tsladder.report.figures.parallel import draw_parallel, heights, settings_of
from tsladder.report.figures.reliability import best_rung, bin_intervals, draw_reliability, wilson
from tsladder.report.figures.residuals import draw_residuals, left_out_percent, residuals_percent
from tsladder.report.figures.shapes import draw_shapes, shapes_of, thinned
from tsladder.report.figures.trial_comparison import TrialComparison
from tsladder.report.study_files import read_facts
from tsladder.search.objective import Objective

DRAWN = {"residuals.png", "reliability.png", "shapes.png", "parallel.png"}
TRIAL = TrialRecord.from_json(trial_line(0, best_val_loss=0.4))
BY_LOSS, BY_AUC = (TrialComparison(Objective(name), "nats") for name in ("val_loss", "val_auc"))
DRAWERS = (draw_residuals, draw_reliability, draw_shapes, draw_parallel)


def tried(number, *, val_loss, val_auc):
    return TrialRecord.from_json(trial_line(number, best_val_loss=val_loss, val_auc=val_auc))


def facts_of(places):
    return read_facts(places, studies.study_params())


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Drawer -> its picture of a study whose every stage has run."""
    facts = facts_of(write_whole(tmp_path_factory.mktemp("drawn")))
    return {draw: draw(facts) for draw in DRAWERS}


def pixels(png):
    from matplotlib.image import imread

    return imread(io.BytesIO(png))


def test_the_pictures_lie_beside_the_report_inside_the_page_and_linked_from_the_text(whole):
    build_report(whole, studies.study_params())
    text, html = ((whole.report / name).read_text("utf-8") for name in ("report.md", "report.html"))
    assert {path.name for path in whole.report.glob("*.png")} == DRAWN
    assert all(f"]({name})" in text for name in DRAWN)
    assert html.count('src="data:image/png;base64,') == len(DRAWN)


@pytest.mark.slow
def test_the_same_facts_draw_the_same_bytes(whole, drawn):
    for draw in DRAWERS:
        assert draw(facts_of(whole)) == drawn[draw]


def test_a_picture_holds_no_date_and_no_software(drawn):
    for png in drawn.values():
        assert png.startswith(b"\x89PNG")
        assert all(word not in png for word in (b"tEXt", b"tIME", b"iTXt"))


def test_every_panel_has_ink_in_it(drawn):
    for png in drawn.values():
        image = pixels(png)[..., :3]
        coloured = (image.max(axis=-1) - image.min(axis=-1) > 0.2).sum()
        assert coloured > 100


def test_an_empty_study_has_no_picture_and_says_why(tmp_path):
    places = studies.Places(tmp_path, tmp_path)
    assert {draw(facts_of(places)) for draw in (draw_residuals, draw_reliability, draw_shapes)} == {None}
    build_report(places, studies.study_params())
    assert "No trial has a width and a depth to show." in (places.report / "report.md").read_text("utf-8")


@pytest.mark.slow
def test_a_picture_that_no_longer_has_data_does_not_stay(whole):
    build_report(whole, studies.study_params())
    for path in (whole.artifacts / "hpo").glob("*/trials.jsonl"):
        path.unlink()
    build_report(whole, studies.study_params())
    assert {path.name for path in whole.report.glob("*.png")} == DRAWN - {"shapes.png", "parallel.png"}


def test_the_residuals_are_those_of_the_fit(whole):
    law = facts_of(whole).law_of(1)
    fit = fit_power([point.n_params for point in law.points], [point.loss for point in law.points], 0.95)
    assert residuals_percent(law) == pytest.approx([100.0 * math.expm1(r) for r in fit.residuals], abs=1e-9)


def test_a_rung_left_out_is_shown_against_the_law_of_the_others(whole):
    law = facts_of(whole).law_of(1)
    sizes, losses = [point.n_params for point in law.points], [point.loss for point in law.points]
    for k, (n, percent) in enumerate(left_out_percent(law)):
        rest = [value for j, value in enumerate(sizes) if j != k], [value for j, value in enumerate(losses) if j != k]
        slope, level = np.polyfit(np.log(rest[0]), np.log(rest[1]), 1)
        predicted = np.exp(level + slope * np.log(n))
        assert percent == pytest.approx(100.0 * (losses[k] / predicted - 1.0), abs=1e-6)


def test_a_horizon_without_a_power_law_has_no_residuals(whole):
    assert residuals_percent(facts_of(whole).law_of(3)) is None


@given(st.integers(0, 60), st.integers(1, 60), st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_of_a_frequency_is_wilsons(hits, extra, confidence):
    total = hits + extra
    expected = binomtest(hits, total).proportion_ci(confidence, method="wilson")
    found = wilson(hits / total, total, float(norm.ppf(0.5 + confidence / 2.0)))
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_a_bin_is_as_uncertain_as_its_share_of_the_effective_windows(whole):
    _, test = best_rung(facts_of(whole), 1)
    bins, z = bin_intervals(test, 1.96), 1.96
    # Ten bins of equal count share the 164 effective windows, however many windows and seeds are pooled in them.
    assert bins[3] == wilson(test.reliability[3].observed, 16.4, z)


def test_the_best_rung_is_the_one_of_lowest_test_loss(whole):
    path = whole.artifacts / "scores" / "80k-h1" / "scores.json"
    record = json.loads(path.read_text())
    record["regions"]["test"]["mean"]["log_loss"] = 0.3
    path.write_text(json.dumps(record))
    assert str(best_rung(facts_of(whole), 1)[0].cell) == "80k-h1"
    assert best_rung(facts_of(whole), 5) is None


def test_trials_of_one_shape_share_a_disc_of_their_best_loss(whole):
    cell = next(cell for cell in facts_of(whole).planned if str(cell.cell) == "12k-h1")
    trials = [(16, 2, 0.5), (16, 2, 0.4), (16, 2, None), (8, 4, None)]
    lines = [
        trial_line(k, params={"d_model": d, "n_layers": n}, best_val_loss=loss,
                   state="failed" if loss is None else "complete")
        for k, (d, n, loss) in enumerate(trials)
    ]  # fmt: skip
    (whole.hpo(cell.cell) / "trials.jsonl").write_text(studies.lines(lines))
    cell = next(cell for cell in facts_of(whole).planned if str(cell.cell) == "12k-h1")
    found = [(shape.d_model, shape.n_layers, shape.figure, shape.trials) for shape in shapes_of(cell, BY_LOSS)]
    assert found == [(8, 4, None, 1), (16, 2, 0.4, 3)]
    assert draw_shapes(facts_of(whole)) is not None


def test_a_pruned_trial_has_no_loss_to_be_coloured_by(whole):
    cell = studies.Cell("12k", 1)
    trial = trial_line(0, state="pruned", best_val_loss=0.1, params={"d_model": 8, "n_layers": 1})
    (whole.hpo(cell) / "trials.jsonl").write_text(studies.lines([trial]))
    assert [shape.figure for shape in shapes_of(facts_of(whole).planned[0], BY_LOSS)] == [None]


@given(st.sets(st.integers(1, 3000), min_size=1, max_size=15))
def test_labels_of_an_axis_keep_both_ends_and_their_distance(sizes):
    values = sorted(sizes)
    kept = thinned(values)
    assert (kept[0], kept[-1]) == (values[0], values[-1])
    assert set(kept) <= set(values)
    gaps = np.diff(np.log(kept))
    assert len(kept) <= 2 or gaps.min() >= np.log(values[-1] / values[0]) / 6 - 1e-12


def test_a_study_of_one_cell_draws(whole):
    studies.write_plans(whole, planned=("12k",))
    law = json.loads((whole.law / "scaling.json").read_text())
    studies.write(whole.law / "scaling.json", {**law, "horizons": {"1": law["horizons"]["1"]}})
    facts = facts_of(whole)
    assert all(draw(facts) is not None for draw in (draw_residuals, draw_reliability, draw_shapes))


def test_trials_are_compared_by_what_their_search_makes_best():
    low_loss = tried(0, val_loss=0.40, val_auc=0.60)
    high_auc = tried(1, val_loss=0.45, val_auc=0.70)
    assert (BY_LOSS.best([low_loss, high_auc]), BY_AUC.best([low_loss, high_auc])) == (0.40, 0.70)
    for comparison, best, worst in ((BY_LOSS, 0.40, 0.45), (BY_AUC, 0.70, 0.60)):
        scale = comparison.scale([best, worst])
        # The best figure is at the bright end, which is the first colour of the one map and the last of the other.
        assert scale(best) == (1.0 if comparison.by_auc else 0.0)
        assert abs(scale(worst) - scale(best)) > 0.9


def trials_with(**settings):
    """Trials of one cell that differ in `settings` (name -> values) alone."""
    return [
        dataclasses.replace(TRIAL, number=number, params=dict(zip(settings, values, strict=True)))
        for number, values in enumerate(zip(*settings.values(), strict=True))
    ]


def test_an_axis_on_which_trials_agree_is_left_out():
    found = settings_of(trials_with(d_model=(8, 16), n_layers=(2, 2), dropout=(0.1, 0.3)))
    assert set(found) == {"d_model", "dropout"}


def test_a_logarithmic_axis_has_no_place_for_zero():
    (values,) = settings_of(trials_with(weight_decay=(0.0, 1e-4, 1e-2))).values()
    assert np.isnan(values[0])
    assert heights("weight_decay", values)[1:] == pytest.approx([0.0, 1.0])


def test_equal_ratios_are_equal_steps_on_a_logarithmic_axis():
    assert heights("n_params", np.array([1e4, 1e5, 1e6])) == pytest.approx([0.0, 0.5, 1.0])
    assert heights("dropout", np.array([0.1, 0.2, 0.3])) == pytest.approx([0.0, 0.5, 1.0])
