"""Rungs of a panel study: size, winner, seeds, ranking skill, and each against each baseline, paired by day."""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.artifacts.scores import ScoredRegion, Skill
from tsladder.ranking.level import in_order
from tsladder.report import words as common
from tsladder.report.blocks import Block, Heading, Paragraph, Table, Tone, or_sentence, table
from tsladder.report.facts import CellFacts, CellState
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.rankings import Standing, shown_rung

_TONES = {Standing.BEATS: Tone.GOOD, Standing.UNDECIDED: Tone.MIXED, Standing.WORSE: Tone.BAD}
_SETTINGS = (
    ("learning_rate", "learning rate"),
    ("weight_decay", "weight decay"),
    ("dropout", "dropout"),
    ("warmup_steps", "warm-up steps"),
    ("epochs", "epochs"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """RankIC of a cell less that of a baseline on the same days, with its paired interval."""

    value: float
    low: float
    high: float


def rungs(facts: PanelFacts) -> list[Block]:
    """Return the table of the rungs, and each scored rung against each baseline."""
    level = common.level(facts.params.evaluation.confidence)
    blocks: list[Block] = [Heading(2, "Rungs"), *or_sentence(rungs_table(facts), "No cell is planned.")]
    blocks.append(
        Paragraph(
            "N is the measured parameter count; the RankIC on validation is that of the trial that the search chose, "
            "which flatters it. RankIC: mean over fresh seeds of the chosen configuration, with its "
            f"{level} interval over the test days; beside it that of each seed. Skill: 1 - rank error / rank error of "
            "the stricter constant, with its paired interval; against no order at all it is the RankIC. Beaten by: "
            "baselines whose paired advantage over the rung lies wholly above 0. The other figures of each rung, its "
            "portfolio too, stand among those of the baselines under Test days."
        )
    )
    winners = winners_table(facts)
    blocks += [winners] if winners.rows else []
    against = against_table(facts)
    if against.rows:
        blocks += [
            against,
            Paragraph(
                f"RankIC of the rung less that of the baseline on the same days, with its paired {level} interval: "
                "above 0 the rung ranks better. Two rankings are compared by this, never by whether their own "
                "intervals overlap."
            ),
        ]
    return blocks


def rungs_table(facts: PanelFacts) -> Table:
    """Return one row per planned cell."""
    cells = [cell for horizon in facts.params.horizons for cell in facts.of_horizon(horizon)]
    rows, tones = [], {}
    for row, cell in enumerate(cells):
        rung = facts.rungs.get(cell.cell)
        test = None if rung is None else cell.test
        shown = None if rung is None or test is None else shown_rung(rung)
        if shown is not None:
            tones[row, 6] = _TONES[shown.standing]
        rows.append(
            (
                str(cell.cell),
                common.count(cell.winner.n_params if cell.winner else None),
                common.percent(cell.utilisation, 0),
                _validation(cell),
                common.MISSING
                if shown is None
                else words.estimate(shown.scores.rank_ic, shown.intervals.get("rank_ic")),
                common.MISSING if shown is None else common.listed(words.figure(one.rank_ic) for one in shown.seeds),
                common.MISSING if test is None else _skill(test),
                common.MISSING if test is None else words.names(test.beaten_by) or "none",
                _remarks(cell),
            )
        )
    return table(
        "rungs",
        "Every planned rung",
        text=("cell",),
        numbers=("N", "of budget", "RankIC on validation", "RankIC on test", "of each seed", "skill"),
        after=("beaten by", "remarks"),
        rows=rows,
        tones=tones,
    )


def winners_table(facts: PanelFacts) -> Table:
    """Return one row per cell with a winner: its architecture and its training settings."""
    rows = [
        (
            str(cell.cell),
            *(common.short(cell.winner.settings.get(name)) for name, _ in _SETTINGS),
            common.count(len(cell.retraining.train_losses) or None),
            common.architecture(cell.winner.architecture),
        )
        for horizon in facts.params.horizons
        for cell in facts.of_horizon(horizon)
        if cell.winner is not None
    ]
    return table(
        "winners",
        "The configuration of each rung",
        text=("cell",),
        numbers=(*(title for _, title in _SETTINGS), "seeds"),
        after=("architecture",),
        rows=rows,
    )


def against_table(facts: PanelFacts) -> Table:
    """Return one row per scored cell: its RankIC less that of each baseline, paired by day."""
    scored = [
        (cell, test) for horizon in facts.params.horizons for cell in facts.of_horizon(horizon) if (test := cell.test)
    ]
    found = {name for _, test in scored for name in test.skill_against}
    ordered = dict.fromkeys(name for level in facts.scored().values() for name in in_order(level))
    names = [name for name in ordered if name in found]
    rows, tones = [], {}
    for row, (cell, test) in enumerate(scored):
        gaps = [gap_to(test, name) for name in names]
        rows.append((str(cell.cell), *(_gap(gap) for gap in gaps)))
        for column, gap in enumerate(gaps, start=1):
            if gap is not None and not gap.low <= 0.0 <= gap.high:
                tones[row, column] = Tone.GOOD if gap.low > 0.0 else Tone.BAD
    return table(
        "rungs-against-baselines",
        "RankIC of each rung less that of each baseline",
        text=("cell",),
        numbers=[words.name(name) for name in names],
        rows=rows,
        tones=tones,
    )


def gap_to(test: ScoredRegion, name: str) -> Gap | None:
    """Return the RankIC of a cell less that of a baseline: the skill against the baseline times the rank error of the
    baseline. None where either is unknown."""
    skill, baseline = test.skill_against.get(name), test.baselines.get(name)
    error = None if baseline is None else test.loss_in(baseline)
    if skill is None or error is None or skill.skill is None or skill.low is None or skill.high is None:
        return None
    return Gap(value=error * skill.skill, low=error * skill.low, high=error * skill.high)


def _gap(gap: Gap | None) -> str:
    return common.MISSING if gap is None else f"{common.signed(gap.value)} ({common.interval((gap.low, gap.high))})"


def _validation(cell: CellFacts) -> str:
    loss = cell.search.best_val_loss
    return common.number(None if loss is None else 1.0 - loss)


def _skill(test: ScoredRegion) -> str:
    return common.skill(test.skill_against.get(test.stricter, Skill(skill=test.skill, low=None, high=None)))


def _remarks(cell: CellFacts) -> str:
    remarks = [] if cell.state is CellState.SCORED else [str(cell.state)]
    if cell.test is not None and cell.test.constant_predictor:
        remarks.append("orders like chance")
    if cell.winner is not None and cell.winner.off_budget:
        remarks.append("off budget")
    return ", ".join(remarks)
