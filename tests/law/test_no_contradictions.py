"""No two statements about one ladder contradict each other, and none contradicts the figures beside it.

Random ladders of nine kinds go through `fit_table` or, with daily losses, `law_of_points`; every rule then reads all
sentences of each record and of the terminal. A rule states what holds whatever the ladder is.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tsladder.artifacts.law import HorizonLaw, group_json
from tsladder.console.fit import fit_lines
from tsladder.law.evidence.detection import FEW_DOF
from tsladder.law.ladder import law_of_points
from tsladder.law.points import RungPoint
from tsladder.law.table import law_of_table

INTEREST, CONFIDENCE, DRAWS = 0.015, 0.95, 60
KINDS = ("line", "floor", "turn", "null", "outlier", "in step", "isoflop", "few rungs", "ties")
SIGNED = ("scales", "worse_with_size")
FIGURE = r"-?\d+\.\d+(?:e-\d+)?"
Rng = np.random.Generator


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One ladder's record, and what the terminal shows of it."""

    number: int
    kind: str
    law: dict[str, Any]
    terminal: str

    @property
    def verdict(self) -> str:
        return str(self.law["verdict"])

    @property
    def form(self) -> str:
        return str(self.law["model_choice"]["preferred"])

    @property
    def reason(self) -> str:
        return str(self.law["reason"])

    @property
    def settle(self) -> str:
        return str(self.law["settle"])

    @property
    def power(self) -> dict[str, Any] | None:
        power: dict[str, Any] | None = self.law["fits"]["power"]
        return power

    @property
    def sizes(self) -> dict[str, Any] | None:
        """What size does at equal data; None where data do not vary by themselves."""
        sizes: dict[str, Any] | None = self.law.get("size_at_equal_data")
        return sizes

    @property
    def statements(self) -> list[str]:
        """Every sentence of the record."""
        fits, sizes = self.law["fits"], self.sizes or {}
        told = [self.reason, self.settle, self.law["model_choice"]["reason"], *self.law["notes"]]
        told += [option["words"] for option in self.law["settle_options"]]
        told += [fits["power_floor"]["reason"], fits["overfit"]["reason"]]
        told += [sizes["reason"], *sizes["doubts"]] if sizes else []
        told += [self.law["surface"]["reason"], *self.law["surface"]["doubts"]] if "surface" in self.law else []
        return told

    @property
    def everything(self) -> str:
        return "\n".join([*self.statements, self.terminal])


def made(number: int) -> Told:
    """Ladder `number`, the same every time."""
    rng = np.random.default_rng([21, number])
    kind = KINDS[number % len(KINDS)]
    noise = math.exp(rng.uniform(math.log(0.0005), math.log(0.05)))
    n, d, law = _truth(rng, kind)
    loss = law * np.exp(noise * rng.normal(size=n.size))
    if kind == "outlier":
        loss[rng.integers(n.size)] *= math.exp(rng.choice([-1.0, 1.0]) * rng.uniform(5.0, 30.0) * noise)
    if d is None and rng.random() < 0.25:
        return _told(number, kind, _with_days(rng, n, loss, noise))
    seeds = int(rng.choice([0, 1, 2, 3]))
    rows: dict[str, Any] = {"n_params": n, "loss": loss}
    if d is not None:
        rows["n_data"] = d
    frame = pd.DataFrame(rows)
    if seeds:
        frame = frame.loc[frame.index.repeat(seeds)].assign(seed=list(range(1, seeds + 1)) * n.size)
        frame["loss"] *= np.exp(noise * rng.uniform(0.2, 2.0) * rng.normal(size=len(frame)))
    elif rng.random() < 0.5:
        frame["se"] = frame["loss"] * noise * rng.uniform(0.1, 3.0, size=len(frame) if rng.random() < 0.5 else 1)
    if kind == "ties":
        frame["loss"] = frame["loss"].round(int(rng.integers(2, 4)))
    found = law_of_table(frame, draws=DRAWS, alpha_of_interest=INTEREST, confidence=CONFIDENCE)
    return _told(number, kind, found.groups["all"], found.understood)


def _truth(rng: Rng, kind: str) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Sizes, amounts of data and losses without noise."""
    rungs = int(rng.integers(1, 4) if kind == "few rungs" else rng.integers(4, 10))
    n = 12e3 * np.cumprod(np.r_[rng.uniform(1.0, 10.0), rng.uniform(1.5, 8.0, size=rungs - 1)])
    x = np.log(n) - np.log(n).mean()
    alpha = rng.uniform(-0.06, 0.1)
    if kind == "isoflop":
        flops = np.geomspace(1e17, 1e20, int(rng.integers(2, 4)))
        n, compute = (grid.ravel() for grid in np.meshgrid(np.geomspace(1e6, 1e9, int(rng.integers(3, 6))), flops))
        d = compute / (6.0 * n) if rng.random() < 0.5 else 1e9 * np.sqrt(compute / flops[0])
        effect = rng.choice([0.0, 1.0, -0.3])
        return n, d, 1.7 + effect * 400.0 * n**-0.45 + rng.choice([0.0, 1.0]) * 400.0 * d**-0.35
    if kind == "floor":
        return n, None, rng.uniform(0.3, 2.0) * (1.0 + rng.uniform(0.1, 1.0) * (n / n[0]) ** -rng.uniform(0.2, 1.2))
    if kind == "turn":
        middle = rng.uniform(x[0], x[-1])
        return n, None, 0.4 * np.exp(math.exp(rng.uniform(-7.0, -3.0)) * (x - middle) ** 2)
    if kind == "null":
        return n, None, np.full(n.size, 0.4)
    if kind == "in step":
        d = rng.uniform(5.0, 50.0) * n ** rng.uniform(0.5, 1.2) * np.exp(0.003 * rng.normal(size=n.size))
        bend = rng.choice([0.0, 0.3])
        if rng.random() < 0.3:
            n, d = np.repeat(n, 2), np.repeat(d, 2) * np.exp(0.003 * rng.normal(size=2 * n.size))
        return n, d, 0.4 * (bend + (1.0 - bend) * (n / n[0]) ** -alpha)
    return n, None, 0.4 * np.exp(-alpha * x)


def _with_days(rng: Rng, n: np.ndarray, loss: np.ndarray, noise: float) -> HorizonLaw:
    """Losses of a study: daily, some with a tilt that all rungs share, over one seed or three."""
    days = 150
    x = np.log(n) - np.log(n).mean()
    tilt = math.sqrt(days) * rng.choice([0.0, 0.003, 0.02])
    market_N, tilt_N = 1.0 + 0.2 * rng.normal(size=days), tilt * rng.normal(size=days)
    own = rng.choice([0.0, noise])
    seeds = int(rng.choice([1, 3]))
    points = []
    for place in range(n.size):
        loss_N = loss[place] * (market_N + x[place] * tilt_N + own * math.sqrt(days) * rng.normal(size=days))
        means = loss_N.mean() * np.exp(noise * rng.uniform(0.2, 2.0) * rng.normal(size=seeds))
        loss_N = loss_N + means.mean() - loss_N.mean()
        points.append(
            RungPoint(
                cell=f"rung-{place}",
                n_params=float(n[place]),
                loss=float(means.mean()),
                se=float(means.std(ddof=1) / math.sqrt(seeds)) if seeds > 1 else None,
                seeds=tuple(enumerate(means.tolist())),
                loss_N=loss_N,
            )
        )
    return law_of_points(points, alpha_of_interest=INTEREST, confidence=CONFIDENCE, draws=DRAWS, seed=1)


def _told(number: int, kind: str, law: HorizonLaw, understood: str = "points of a study") -> Told:
    terminal = "\n".join(fit_lines(understood, {"all": law}))
    return Told(number=number, kind=kind, law=group_json(law), terminal=terminal)


Complaints = Iterator[str]
Rule = Callable[[Told], Complaints]
RULES: list[Rule] = []


def rule(check: Rule) -> Rule:
    RULES.append(check)
    return check


@rule
def a_signed_verdict_stands_beside_no_statement_of_its_opposite(told: Told) -> Complaints:
    """Neither a constant as the form, nor "no difference", nor the other sign."""
    if told.verdict not in SIGNED:
        return
    if told.form in ("constant", "not identifiable") and told.sizes is None:
        yield f"form {told.form}"
    other = "rises as models grow" if told.verdict == "scales" else "falls as models grow"
    for words in ("no difference", "Neither a law", other, "fits as well: no", "contains 0"):
        if words in told.everything:
            yield f"{words!r} beside {told.verdict}"
    if told.verdict == "scales" and "To learn why" in told.settle:
        yield "asks why it rises"


@rule
def a_rise_beyond_a_turn_is_said_where_the_turn_is_the_form(told: Told) -> Complaints:
    """And never beside what a model ten times larger would do, or a sign that holds throughout."""
    overfit = told.law["fits"]["overfit"]
    chosen = told.form == "overfit"
    if not overfit["turns"] == chosen == overfit["preferred"] == ("rises beyond" in told.reason):
        yield f"turns {overfit['turns']}, form {told.form}, preferred {overfit['preferred']}: {told.reason}"
    if not chosen and "rises beyond" in told.everything:
        yield "a rise beyond is told of another form"
    if chosen and ("ten times larger" in told.everything or "The sign holds" in told.settle):
        yield f"speaks as if one law held: {told.reason} {told.settle}"


@rule
def the_sign_of_a_verdict_is_that_of_the_interval(told: Told) -> Complaints:
    """Or that of a law above a floor; and an interval with a sign has that verdict."""
    if told.power is None:
        return
    low, high = told.power["alpha_ci"]
    signs = ["scales"] * (low > 0.0 or told.form == "power_floor") + ["worse_with_size"] * (high < 0.0)
    if len(signs) > 1:
        yield f"a floor and a rise: {low} to {high}"
    if (told.verdict in SIGNED) != bool(signs) or (signs and told.verdict != signs[0]):
        yield f"{told.verdict} of {low} to {high}, form {told.form}"


@rule
def a_law_above_a_floor_is_not_hidden_by_the_days(told: Told) -> Complaints:
    """Where the days alone could make the fall, no form that falls is shown."""
    days = None if told.power is None else told.power["alpha_ci_days"]
    if told.form == "power_floor" and days is not None and days[0] <= 0.0:
        yield f"a floor, while the days alone leave {days}"


@rule
def flat_and_constant_mean_an_interval_inside_the_exponent_of_interest(told: Told) -> Complaints:
    if told.power is None:
        if told.verdict == "flat" or told.form == "constant":
            yield "no exponent, yet flat"
        return
    low, high = told.power["alpha_ci"]
    inside = -INTEREST < low <= 0.0 <= high < INTEREST
    if told.verdict == "flat" and not inside:
        yield f"flat of {low} to {high}"
    if told.sizes is None and (told.form == "constant") != (inside and told.form not in ("overfit", "power_floor")):
        yield f"form {told.form} of {low} to {high}"
    if told.form == "constant" and told.verdict != "flat":
        yield f"{told.verdict} of a constant"


@rule
def an_identified_floor_is_in_reason_and_settle_and_nowhere_doubted(told: Told) -> Complaints:
    floor = told.law["fits"]["power_floor"]
    shown = f"a floor of {floor['E']:.4g}" if floor["identified"] else None
    if floor["identified"]:
        low, high = floor["E_ci"]
        if shown not in told.reason or f"the floor of {floor['E']:.4g}" not in told.settle:
            yield f"E {floor['E']} is not told: {told.reason} {told.settle}"
        if f"interval {low:.4g} to {high:.4g}" not in told.reason:
            yield f"interval of E is not told: {told.reason}"
        if told.form != "power_floor" or not floor["bends"] or "not identifiable" in floor["reason"]:
            yield f"identified, but {told.form}, {floor['reason']}"
        if not low <= floor["E"] <= high:
            yield f"E {floor['E']} outside {low} to {high}"
    else:
        if "towards a floor of" in told.everything or "the floor of" in told.settle:
            yield "a floor is told that is not identified"
        if not floor["reason"].startswith("not identifiable"):
            yield floor["reason"]
    if (told.form == "power_floor") != floor["bends"]:
        yield f"bends {floor['bends']}, form {told.form}"
    if (
        told.form == "power_floor"
        and not floor["identified"]
        and "The floor itself is not known well" not in told.reason
    ):
        yield told.reason


@rule
def what_a_model_ten_times_larger_does_follows_from_the_form(told: Told) -> Complaints:
    """Its sign, its size to the printed digits, and that it is told where a sign is claimed of one law."""
    found = re.search(
        r"ten times larger[^%]* has a loss (less than |more than )?([\d.]+)%.*? (lower|higher)", told.reason
    )
    claimed = told.verdict in SIGNED and told.form != "overfit"
    if told.form == "power_floor" and not told.law["fits"]["power_floor"]["identified"]:
        claimed = False
    if (found is not None) != claimed:
        yield f"told {found is not None}: {told.reason}"
    if found is None or told.power is None:
        return
    change = math.expm1(-told.power["alpha"] * math.log(10.0))
    if told.form == "power_floor":
        floor, largest = told.law["fits"]["power_floor"], max(point["n_params"] for point in told.law["points"])
        at = [floor["E"] + floor["A"] * n ** -floor["alpha"] for n in (largest, 10.0 * largest)]
        change = at[1] / at[0] - 1.0
    elif told.sizes is not None:
        change = told.sizes["tenfold_at_same_data"]["change"]
    below, above = abs(change) < 0.0005, 0.9995 <= abs(change) <= 1.0
    if (found[3] == "lower") != (change < 0.0) or (found[3] == "lower") != (told.verdict == "scales"):
        yield f"{found[3]} of {change}"
    expected = ("less than ", 0.001) if below else ("more than ", 0.999) if above else (None, abs(change))
    if found[1] != expected[0] or abs(float(found[2]) / 100.0 - expected[1]) > 0.00051:
        yield f"{found[0]} of {change}"


@rule
def the_exponent_and_interval_that_are_quoted_are_those_of_the_record(told: Told) -> Complaints:
    quoted = re.findall(rf"alpha = ({FIGURE}) \((\d+)% interval ({FIGURE}) to ({FIGURE})", told.reason)
    if told.power is None:
        return
    if not quoted:
        yield f"no exponent in: {told.reason}"
    expected = told.power["alpha"], *told.power["alpha_ci"]
    for alpha, level, low, high in quoted:
        if not all(map(shows, (alpha, low, high), expected)) or level != f"{100 * CONFIDENCE:.0f}":
            yield f"{alpha} {low} {high} for {expected}"
    if not told.power["alpha_ci"][0] <= told.power["alpha"] <= told.power["alpha_ci"][1]:
        yield "the interval does not hold its exponent"


@rule
def the_part_of_the_days_is_told_where_it_is_known_and_missed_where_not(told: Told) -> Complaints:
    if told.power is None:
        return
    days, rungs = told.power["alpha_ci_days"], told.power["alpha_ci_rungs"]
    missed = "daily losses are not known" in told.reason
    if missed == (days is not None):
        yield f"days {days}: {told.reason}"
    parts = re.search(rf"of the rungs ±({FIGURE}), of the days ±({FIGURE})", told.reason)
    if (parts is not None) != (days is not None):
        yield f"parts of {days}: {told.reason}"
    if parts is not None and days is not None:
        expected = [(ends[1] - ends[0]) / 2.0 for ends in (rungs, days)]
        if not all(map(shows, (parts[1], parts[2]), expected)):
            yield f"{parts[0]} for {expected}"


@rule
def what_an_open_interval_reaches_past_is_true(told: Told) -> Complaints:
    if "contains 0 and reaches" not in told.reason:
        return
    assert told.power is not None
    low, high = told.power["alpha_ci"]
    both, one = low <= -INTEREST and high >= INTEREST, low <= -INTEREST or high >= INTEREST
    if not low <= 0.0 <= high or not one or both != ("reaches beyond" in told.reason):
        yield f"{low} to {high}: {told.reason}"


@rule
def the_least_exponent_that_is_found_is_that_of_the_record(told: Told) -> Complaints:
    """As one figure from three degrees of freedom on, as a range below, in sentences and on the terminal alike."""
    if told.power is None:
        return
    least, ends = told.law["minimum_detectable_alpha"], told.law["minimum_detectable_alpha_range"]
    few = told.power["dof"] < FEW_DOF
    line = re.search(r"detectable alpha +(.*) in four studies out of five", told.terminal)
    expected = f"{ends[0]:.4f} to {ends[1]:.4f}" if few else f"{least:.4f}"
    if line is None or line[1] != expected:
        yield f"terminal {line and line[0]} for {expected}"
    single = re.findall(rf"finds an exponent of ({FIGURE})", told.reason + told.settle)
    ranges = re.findall(rf"lies between ({FIGURE}) and ({FIGURE})", told.reason + told.settle)
    if not all(shows(figure, least) for figure in single) or (few and single):
        yield f"{single} for {least}"
    if not all(all(map(shows, figures, ends)) for figures in ranges) or (not few and ranges):
        yield f"{ranges} for {ends}"
    if not ends[0] <= least <= ends[1]:
        yield f"{least} outside {ends}"


@rule
def sentences_on_data_in_step_speak_of_sizes_and_data(told: Told) -> Complaints:
    together = told.kind == "in step" and told.power is not None and told.sizes is None
    if together != any("moves in step" in note for note in told.law["notes"]):
        yield f"notes {told.law['notes']}"
    if together and " data" not in told.reason.replace("test data", ""):
        yield told.reason
    if together and "ten times larger" in told.reason and not re.search(r"larger[^%]* on [^%]*data", told.reason):
        yield told.reason
    if not together and told.sizes is None and re.search(r"their data|times the data", told.everything):
        yield f"speaks of data: {told.reason}"


@rule
def figures_of_a_surface_are_given_where_it_is_identified(told: Told) -> Complaints:
    quoted = "on the surface E + A N^-alpha" in told.reason
    if quoted and not (told.form == "surface" and told.law["surface"]["identified"]):
        yield told.reason


@rule
def the_same_data_are_spoken_of_where_data_vary(told: Told) -> Complaints:
    if told.sizes is None and re.search(
        r"(?<!about )the same data|equal data", told.everything.replace("see surface", "")
    ):
        yield "speaks of the same data where they do not vary"
    if told.sizes is not None and "ten times larger" in told.reason and "larger on the same data" not in told.reason:
        yield told.reason


@rule
def no_p_value_is_nothing(told: Told) -> Complaints:
    for found in re.findall(r"\bp = [^,;)]*", told.everything):
        if not re.fullmatch(r"p = (0\.\d*[1-9]\d*|1|\d(\.\d+)?e-\d+)", found.strip()):
            yield found


@rule
def no_figure_is_missing_or_beyond_numbers(told: Told) -> Complaints:
    if found := re.findall(r"\b(?:[nN]a[nN]|[iI]nf|None|null|NaT)\b", told.everything):
        yield str(found)
    json.dumps(told.law, allow_nan=False)


@rule
def no_change_or_noise_is_said_to_be_nothing(told: Told) -> Complaints:
    if found := re.findall(r"(?<![\d.])0\.0% (?:lower|higher|a rung|of)", told.everything):
        yield str(found)


@rule
def the_prediction_for_a_further_rung_holds_that_of_the_form(told: Told) -> Complaints:
    found = re.search(r"prediction \(([\d.e+-]+) to ([\d.e+-]+) at", told.settle)
    if found is None:
        return
    assert told.power is not None
    if told.form != "power" or told.verdict not in SIGNED:
        yield f"a power law's prediction of form {told.form}"
    largest = max(point["n_params"] for point in told.law["points"])
    predicted = told.power["loss_at_reference"] * (10.0 * largest / told.power["reference_n"]) ** -told.power["alpha"]
    if not float(found[1]) * (1.0 - 1e-3) <= predicted <= float(found[2]) * (1.0 + 1e-3):
        yield f"{found[0]} for {predicted}"


@rule
def without_an_exponent_none_is_quoted(told: Told) -> Complaints:
    if told.power is not None:
        return
    if told.verdict not in ("too_few_rungs", "underpowered") or "alpha =" in told.reason + told.settle:
        yield f"{told.verdict}: {told.reason}"
    if "detectable alpha" in told.terminal or "C N^-alpha" in told.terminal or told.law["repetition"] is not None:
        yield "figures of an exponent that is not given"


@rule
def degrees_of_freedom_and_replicates_are_those_of_the_fit(told: Told) -> Complaints:
    if told.power is None:
        return
    noun = "rung" if told.sizes is None else "size"
    for count, found in re.findall(r"(?:on|With) (\d+) (rung|size)s?\b", told.reason):
        if int(count) != told.power["n_rungs"] or found != noun:
            yield f"{count} {found} of {told.power['n_rungs']}"
    for dof in re.findall(r"([\d.]+) degrees? of freedom", told.reason + told.settle):
        if dof != f"{told.power['dof']:.3g}":
            yield f"{dof} degrees of freedom for {told.power['dof']}"
    sizes = {round(math.log(point["n_params"]), 6) for point in told.law["points"]}
    if told.power["n_rungs"] > len(sizes):
        yield f"{told.power['n_rungs']} replicates of {len(sizes)} sizes"


@rule
def a_form_is_called_not_identifiable_where_none_is_chosen(told: Told) -> Complaints:
    choice = told.law["model_choice"]
    named = choice["reason"].startswith("not identifiable")
    if told.sizes is None and named != (told.form == "not identifiable"):
        yield f"{told.form}: {choice['reason']}"


@rule
def a_law_is_called_negligible_where_its_interval_is(told: Told) -> Complaints:
    low, high = (0.0, math.inf) if told.power is None else told.power["alpha_ci"]
    inside = -INTEREST < low <= high < INTEREST
    said = "negligible" in told.reason
    if said != (inside and told.verdict in SIGNED and told.form not in ("overfit", "power_floor")):
        yield f"{low} to {high}: {told.reason}"


@rule
def a_caution_compares_figures_as_it_says(told: Told) -> Complaints:
    found = re.search(r"\(([\d.e-]+)% of the loss\) [^(]*\(([\d.e-]+)%\)", told.reason)
    if ("Read it with care" in told.reason) != (found is not None):
        yield told.reason
    if found is not None and float(found[1]) <= float(found[2]):
        yield found[0]
    seeds = any(len(point["seeds"]) > 1 for point in told.law["points"])
    if "More seeds a rung" in told.reason and not seeds:
        yield f"seeds that are not there: {told.reason}"


@rule
def rungs_that_carry_the_fit_or_do_not_belong_are_named_with_the_law_without_them(told: Told) -> Complaints:
    left = {entry["cell"]: entry for entry in told.law["leave_one_rung_out"]}
    for rung in told.law["influential"]:
        notes = [note for note in told.law["notes"] if note.startswith(f"{rung['cell']} ")]
        without = [found[1] for note in notes if (found := re.search(rf"without it alpha is ({FIGURE})", note))]
        if not any(shows(words, left[rung["cell"]]["alpha_without"]) for words in without):
            yield f"{rung['cell']}: {notes}"
    if bool(told.law["influential"]) != ("alpha without it" in told.terminal):
        yield "the terminal shows other rungs left out"
    cells = {rung["cell"] for rung in told.law["influential"]}
    for note in told.law["notes"]:
        if "without it alpha is" in note and not any(note.startswith(f"{cell} ") for cell in cells):
            yield note


@rule
def doubts_on_sizes_are_told_beside_them(told: Told) -> Complaints:
    if told.sizes is not None and told.power is not None:
        for doubt in told.sizes["doubts"]:
            if doubt not in told.law["notes"]:
                yield doubt


@rule
def every_option_is_in_what_would_settle_it(told: Told) -> Complaints:
    if told.verdict == "underpowered":
        for option in told.law["settle_options"]:
            if option["words"] not in told.settle:
                yield option["words"]


@rule
def the_shares_of_a_repetition_are_shares(told: Told) -> Complaints:
    """And a sign that the rungs show is likely to be found again, and unlikely to turn."""
    if (shares := told.law["repetition"]) is None:
        return
    if not math.isclose(sum(shares.values()), 1.0) or not all(0.0 <= share <= 1.0 for share in shares.values()):
        yield str(shares)
    assert told.power is not None
    low, high = told.power["alpha_ci"]
    if told.sizes is not None or low <= 0.0 <= high:
        return
    sign = "worse_with_size" if told.verdict == "scales" else "scales"
    by_luck = told.law["rung_noise"] > told.power["residual_sd"]
    if shares[sign] > 0.03 or (shares[told.verdict] < 0.4 and not by_luck):
        yield f"{told.verdict}: {shares}"


@rule
def the_terminal_shows_what_the_record_says(told: Told) -> Complaints:
    for words in (told.verdict.replace("_", " "), told.reason, told.settle, *told.law["notes"]):
        if words not in told.terminal:
            yield words


@rule
def sentences_are_whole(told: Told) -> Complaints:
    """No gap, no doubled mark, one mark at the end of reason and settle."""
    for words in told.statements:
        if re.search(r"  | [.,;:)]|\.\.|,,|\( |;;|:;|: \.", words) or words != words.strip():
            yield words
    for words in (told.reason, told.settle):
        if not re.fullmatch(r"[A-Z].*\.", words):
            yield words


def shows(words: str, value: float) -> bool:
    """Are these the figure, to their digits, and on its side of 0?"""
    close = math.isclose(float(words), value, abs_tol=5.1e-5, rel_tol=1e-9)
    if "e" in words:
        close = math.isclose(float(words), value, rel_tol=0.051)
    return close and (float(words) > 0.0) == (value > 1e-15) and (float(words) < 0.0) == (value < -1e-15)


MANY = 250


@functools.cache
def ladders(count: int) -> tuple[Told, ...]:
    return tuple(made(number) for number in range(count))


@pytest.mark.parametrize("count", [30, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("check", RULES, ids=[check.__name__ for check in RULES])
def test_of_random_ladders(check: Rule, count: int) -> None:
    complaints = [f"{told.number} ({told.kind}): {words}" for told in ladders(count) for words in check(told)]
    assert not complaints, f"{len(complaints)} complaints\n" + "\n".join(complaints[:10])


@pytest.mark.slow
def test_the_ladders_have_every_verdict_and_form_that_a_table_can_have() -> None:
    told = ladders(MANY)
    assert {one.verdict for one in told} >= {"scales", "worse_with_size", "flat", "underpowered", "too_few_rungs"}
    assert {one.form for one in told} >= {"constant", "power", "power_floor", "overfit", "not identifiable"}
    assert any(one.power is not None and one.power["alpha_ci_days"] is not None for one in told)
    assert any(one.sizes is not None for one in told)


def test_a_law_too_steep_for_floats_is_told_without_its_level() -> None:
    found = law_of_table(pd.DataFrame({"n_params": [1e12, 1.2e12, 1.5e12, 2e12], "loss": [1.0, 1e-3, 1e-8, 1e-12]}))
    law = group_json(found.groups["all"])
    assert law["fits"]["power"]["C"] is None
    assert "has a loss more than 99.9% lower" in law["reason"]
    assert re.search(r"C N\^-alpha +alpha 40\.767 \[[^]]*\]\n", "\n".join(fit_lines(found.understood, found.groups)))
