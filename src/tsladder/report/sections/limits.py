"""Diagnosis of whether more days or more parameters are lacking, as far as one amount of data can tell."""

from __future__ import annotations

from tsladder.report import words
from tsladder.report.blocks import Block, Heading, Paragraph, Points, Table, table
from tsladder.report.extent import TrainingExtent
from tsladder.report.facts import CellFacts, CellState, Facts
from tsladder.report.limits import DataLimits, RungLosses, diagnose
from tsladder.vocabulary import Region

VERDICTS = {
    "more data": "More days would matter more here than more parameters.",
    "more parameters": "More parameters still pay here; nothing shows that days are what is lacking.",
    "undecided": "Whether days or parameters are lacking is not decided by this study.",
    "unknown": "Whether days or parameters are lacking cannot be said.",
}


def limits(facts: Facts) -> list[Block]:
    blocks: list[Block] = [Heading(2, "Days or parameters: what is lacking")]
    found = {horizon: diagnosis for horizon in facts.params.horizons if (diagnosis := limits_of(facts, horizon))}
    if not found:
        return [*blocks, Paragraph("No cell has been trained, so nothing is known of what is lacking.")]
    blocks.append(Paragraph(_definitions(facts, next(iter(found.values())).extent)))
    for horizon, diagnosis in found.items():
        blocks += [
            Heading(3, f"{facts.horizon(horizon)}: {diagnosis.bottleneck}"),
            Paragraph(f"{VERDICTS[diagnosis.bottleneck]} {diagnosis.reason}"),
            Points(tuple(_points(facts, horizon, diagnosis))),
            gaps_table(diagnosis, horizon, facts.horizon(horizon)),
        ]
    return [*blocks, Paragraph(CAVEATS.format(differ=facts.task_words.regions_differ))]


CAVEATS = (
    "The gap is validation loss less training loss, its interval a t interval over seeds. The training loss is "
    "measured with dropout on, as a mean over the last epoch, while the validation loss is that of the best epoch "
    "without dropout: more dropout narrows the gap and training past the best epoch widens it, so compare rungs of "
    "different dropout with care. The two regions also differ in {differ}, which moves every rung's gap about "
    "alike and hardly its trend. This is a diagnosis: no model was trained on another amount of data."
)


def limits_of(facts: Facts, horizon: int) -> DataLimits | None:
    """Return the diagnosis of one horizon; None where none of its cells was scored."""
    scored = [cell for cell in facts.of_horizon(horizon) if cell.state is CellState.SCORED]
    rungs = [losses for cell in scored if (losses := _losses(cell)) is not None]
    if not rungs:
        return None
    law = facts.law_of(horizon)
    return diagnose(
        rungs,
        facts.training_extent(horizon),
        alpha_ci=None if law is None or law.verdict == "invalid" or facts.leaks else law.alpha_ci,
        alpha_of_interest=facts.params.law.alpha_of_interest,
        confidence=facts.confidence,
        verdict=None if law is None else law.verdict,
        form=None if law is None else law.form,
    )


def _losses(cell: CellFacts) -> RungLosses | None:
    validation = cell.regions.get(Region.VALIDATION)
    if cell.winner is None or validation is None:
        return None
    return RungLosses(
        cell=str(cell.cell),
        n_params=cell.winner.n_params,
        dropout=cell.winner.settings.get("dropout"),
        train=cell.retraining.train_losses,
        validation={seed: validation.loss_in(metrics) for seed, metrics in validation.seeds.items()},
    )


def _definitions(facts: Facts, extent: TrainingExtent) -> str:
    context = facts.params.windows.context_length
    labels = (
        "training windows over horizon, since labels of neighbouring windows share days; the most that they are worth."
        if extent.labels is None
        else "labels of all stocks over horizon, since labels of neighbouring days share days; the most that they are "
        "worth, for stocks of one day move together."
    )
    return (
        f"Windows of {context} days overlap, so their number says little about how much there is to learn from. Two "
        f"bounds are given. Disjoint windows: how many whole windows, {context} input days and the horizon's label "
        f"days, fit side by side into the training days; the least that they are worth. Independent labels: {labels}"
    )


def _points(facts: Facts, horizon: int, limits: DataLimits) -> list[tuple[str, str]]:
    extent, slope = limits.extent, limits.slope
    level = words.level(facts.confidence)
    trend = "not known"
    if slope is not None:
        bounds = limits.slope_ci
        sign = "changes without a clear sign"
        if bounds is not None and (bounds[0] > 0.0 or bounds[1] < 0.0):
            sign = "widens" if slope > 0.0 else "narrows"
        unit = facts.task_words.unit
        # A unit that is a formula, 1 - RankIC, would read as a part of the number.
        named = f" {unit}" if unit[0].isalpha() else ""
        trend = (
            f"it {sign}: {words.signed(slope)}{named} for ten times the parameters, {level} interval over rungs "
            f"{words.interval(bounds)}"
        )
    labels = extent.independent_labels
    wider = limits.above_smallest(facts.confidence)
    return [
        ("Training days", words.count(extent.days)),
        ("Overlapping training windows", words.count(extent.windows)),
        ("Disjoint windows, at least", words.count(extent.disjoint_windows)),
        ("Independent labels, at most", words.size(labels)),
        *_constant_points(facts, horizon),
        ("The gap with size", trend),
        ("Rungs whose gap is wider than the smallest one's", ", ".join(wider) or "none beyond chance"),
    ]


def _constant_points(facts: Facts, horizon: int) -> list[tuple[str, str]]:
    """Return the gap of a constant that knows each region's base rate; empty where the splits do not tell a constant's
    loss, as for returns, whose spread they do not hold."""
    constant_gap = facts.task_words.constant_gap
    if constant_gap is None:
        return []
    gap = constant_gap(*facts.base_rates(horizon))
    return [("Gap of a constant that knows each region's base rate", words.signed(gap))]


def gaps_table(limits: DataLimits, horizon: int, ahead: str) -> Table:
    """Return one row per rung, smallest first. `ahead`: the horizon in words."""
    rows = [
        [
            rung.cell,
            words.count(rung.n_params),
            words.ratio(limits.params_per_disjoint_window(rung)),
            words.ratio(limits.params_per_label(rung)),
            words.number(rung.train_loss),
            words.number(rung.validation_loss),
            words.signed(rung.gap),
            words.interval(rung.gap_ci),
            words.chance(rung.p_above_smallest),
            words.short(rung.dropout),
        ]
        for rung in limits.rungs
    ]
    numbers = (
        "N",
        "N a disjoint window",
        "N an independent label",
        "training loss",
        "validation loss",
        "gap",
        "its interval",
        "p against the smallest rung",
        "dropout",
    )
    caption = f"Parameters against independent samples, and the gap, {ahead} ahead"
    return table(f"gaps-h{horizon}", caption, text=("cell",), numbers=numbers, rows=rows)
