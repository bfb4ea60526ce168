"""The law in a report: one interval with its two parts everywhere, and statements that follow from one form."""

import json

import numpy as np
import pytest
from tests.law_json import ladder_json
from tests.report import evidence, studies
from tests.report.reading import tables_of

from tsladder.law.points import RungPoint
from tsladder.report import law_words, words
from tsladder.report.document import document
from tsladder.report.law_tables import law_table, selection_table
from tsladder.report.markdown import to_markdown
from tsladder.report.study_files import read_facts
from tsladder.report.summary import PARTS, verdict_lines

SIZES = np.geomspace(1e4, 1e7, 8)


def markdown(places):
    return to_markdown(document(read_facts(places, studies.study_params()), pictures=())).replace("\\", "")


def fitted(loss_R, *, size_R=SIZES, seed=0, noise=0.001, days=300):
    """The record of a ladder with three seeds and daily losses, whose rung means are `loss_R` up to the days' noise."""
    rng = np.random.default_rng(seed)
    common_N, tilt_N = (values - values.mean() for values in rng.normal(0.0, [[0.1], [0.03]], (2, days)))
    rungs = [
        RungPoint(
            cell=f"{k + 1}M-h1",
            n_params=float(n),
            n_params_blocks=float(n),
            n_params_body=float(n),
            loss=float(loss),
            se=noise * loss,
            seeds=tuple((s, float(loss * (1.0 + noise * d))) for s, d in enumerate((-1.7, 0.0, 1.7), start=1)),
            loss_N=loss * (1.0 + common_N + tilt_N * np.log(n / size_R[0])),
            dates_N=np.datetime64("2015-01-05") + np.arange(days),
            has_skill=True,
        )
        for k, (n, loss) in enumerate(zip(size_R, loss_R, strict=True))
    ]
    return ladder_json(rungs, alpha_of_interest=0.015, confidence=0.95, draws=100, seed=1)


def floored():
    return fitted((0.4 + 0.3 * (SIZES / 1e4) ** -0.5) * np.exp(np.tile([0.001, -0.001], 4)))


def turning():
    return fitted(0.5 * np.exp(0.03 * (np.log(SIZES / 3e5)) ** 2 + np.tile([0.001, -0.001], 4)))


def section(text, start, end):
    return text.partition(start)[2].partition(end)[0]


def test_every_place_shows_the_interval_with_both_of_its_parts(study):
    text = markdown(study)
    whole = "-0.0177 to 0.0423: of the rungs ±0.0180, of the days ±0.0240"
    assert f"Alpha 0.0123 ({whole})" in text
    assert whole in verdict_lines(study)[0]
    table = law_table(read_facts(study, studies.study_params()))
    row = dict(zip([column.title for column in table.columns], table.rows[0], strict=True))
    assert (row["interval"], row["of the rungs"], row["of the days"]) == ("-0.0177 to 0.0423", "±0.0180", "±0.0240")


def test_what_the_parts_are_is_reported_once_and_where_the_interval_is_met_first(study):
    text = markdown(study)
    assert text.count("which holds two parts") == 1
    assert text.index("Alpha 0.0123") < text.index("which holds two parts") < text.index("1 day: underpowered", 500)
    assert verdict_lines(study)[-1] == PARTS


def test_without_daily_losses_the_days_part_is_reported_as_missing(study):
    change(study, lambda law: law["fits"]["power"].update(alpha_ci_days=None))
    text = markdown(study)
    assert "is not in it, since daily losses are not known" in text
    assert "of the days ±" not in text
    assert PARTS not in verdict_lines(study)


@pytest.mark.parametrize(("dof", "said"), [(3.0, "0.0321"), (2.0, "0.0204 to 0.0513"), (1.0, "0.0204 to 0.0513")])
def test_below_three_degrees_of_freedom_the_detectable_exponent_is_a_range(study, dof, said):
    change(study, lambda law: law["fits"]["power"].update(dof=dof))
    law = read_facts(study, studies.study_params()).law_of(1)
    assert law_words.detectable(law) == said
    assert verdict_lines(study)[0].endswith(f"detectable from {'somewhere in ' if dof < 3.0 else ''}{said}")
    assert said in markdown(study)


def test_no_p_value_is_zero(whole):
    assert (words.chance(0.0), words.chance(0.0341), words.chance(None)) == ("< 0.001", "0.034", "—")
    assert (words.p_value(0.0), words.p_value(0.0341)) == ("p < 0.001", "p = 0.034")
    text = markdown(whole)
    assert "p < 0.001" in text
    for never in ("p = 0)", "(p 0)", "p 0;", "p = 0;"):
        assert never not in text


def test_selection_is_a_row_with_its_words(whole):
    table = selection_table(read_facts(whole, studies.study_params()))
    assert [column.title for column in table.columns][1:4] == ["mean trial", "best of 2", "best of 4"]
    assert table.rows[0] == (
        "1 day", "+0.0112", "+0.0151", "+0.0169", "+0.0057", "0.0021 to 0.0093", "< 0.001"
    )  # fmt: skip
    support = section(markdown(whole), "## What supports the verdicts", "\n## ")
    assert evidence.SELECTION["words"] in support
    assert any(found.caption == table.caption for found in tables_of(support))


def test_a_study_without_trials_has_no_table_of_selection(study):
    assert "number of trials" not in section(markdown(study), "## What supports the verdicts", "\n## ")


@pytest.mark.parametrize("ladder", [floored, turning])
def test_a_law_above_a_floor_or_with_a_turn_contradicts_itself_nowhere(study, ladder):
    law = ladder()
    assert law["model_choice"]["preferred"] == {floored: "power_floor", turning: "overfit"}[ladder]
    studies.write_law(study, {"1": law})
    text = markdown(study)
    form = words.form(law["model_choice"]["preferred"])
    assert f"**Form that the rungs support**: {form}:" in text
    assert text.count(f"The rungs support another form, so a pattern is to be expected here: 1 day ({form})") <= 1
    assert "by a power of their parameter count" not in text
    assert "Best form" not in text
    headline = {floored: "above its floor of 0.4", turning: "that no single exponent describes"}[ladder]
    assert headline in section(text, "**1 day: ", "\n")
    assert headline in verdict_lines(study)[0]
    floor = section(text, "**With a floor, loss = E + A·N^-alpha**", "\n")
    turn = section(text, "**Does the loss turn upwards**", "\n")
    assert ("alpha above the floor" in floor, "yes" in turn) == ((ladder is floored), (ladder is turning))


def test_a_floor_beside_a_turn_is_not_claimed(whole):
    law = read_facts(whole, studies.study_params()).law_of(1)
    floor = {
        "identified": False,
        "bends": True,
        "reason": "not identifiable: there is one",
        "E": 0.3,
        "E_ci": [0.1, 0.4],
        **dict.fromkeys(("A", "alpha", "alpha_ci", "sse", "reference_n")),
    }
    change(whole, lambda law: (law["fits"].update(power_floor=floor), law["model_choice"].update(preferred="overfit")))
    assert law.form == "constant"
    assert "not supported: the curve that turns upwards" in markdown(whole)
    change(whole, lambda law: law["model_choice"].update(preferred="power_floor"))
    assert "there is a floor, since a law without one fits significantly worse" in markdown(whole)


def test_aicc_is_stated_to_decide_nothing(study):
    studies.write_law(study, {"1": floored()})
    assert "It decides nothing" in markdown(study)


def test_a_repetition_is_of_what_is_known_not_of_a_true_law(whole):
    said = section(markdown(whole), "**If the study were repeated**", "\n")
    assert "the noise and alpha drawn from what is known of them" in said
    assert "true" not in said


def test_a_coefficient_beyond_all_numbers_leaves_the_region_without_an_end(whole):
    def beyond(law):
        law["joint_region"]["C"][0] = None

    change(whole, beyond)
    assert "without an end" in markdown(whole)


def change(places, how):
    path = places.law / "scaling.json"
    record = json.loads(path.read_text())
    how(record["horizons"]["1"])
    path.write_text(json.dumps(record))
