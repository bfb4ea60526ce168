"""Method: how the figures of the page are computed, and what a reader needs to get them again."""

from __future__ import annotations

from tsladder.report.blocks import Block, Heading, Paragraph, Points
from tsladder.report.environment import environment_table, fingerprints_table
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.tables import params_table, rankings_table
from tsladder.report.words import counted
from tsladder.report.words import level as confidence_level


def method(facts: PanelFacts) -> list[Block]:
    """Return the definition of every figure, and what each ranking ranks by."""
    params = facts.params
    cost, lag = params.evaluation.cost_bps, params.target.entry_lag
    points = (
        (
            "Label",
            f"log return of a stock from the close of day t+{lag} to that of day t+{lag} + horizon",
        ),
        (
            "RankIC",
            (
                "Spearman's correlation of score and return over a day's members with a label, equal values at average "
                "ranks, then the mean over days. A day whose scores are all one is unordered: it counts as 0"
            ),
        ),
        ("IC", "the same with Pearson's correlation"),
        ("ICIR", "mean over standard deviation of the daily RankIC, not annualised; its name holds the horizon"),
        (
            "Hit rate",
            (
                "share of a day's stocks that lie on the same side of the day's median in score and in return; a guess "
                "has 50 %"
            ),
        ),
        (
            "Quantile spread",
            (
                "mean return of the fifth of the stocks with the highest scores, less that of the lowest fifth, in "
                f"basis points a day, before costs{_fifth(facts)}"
            ),
        ),
        (
            "Advantage",
            (
                "rank error (1 - RankIC) of the stricter constant less that of the ranking, paired by day. The "
                "stricter constant is the one of no order and static order with the lower rank error"
            ),
        ),
        (
            "Portfolio",
            (
                "weights follow the centred ranks of a day, half of the capital long and half short; entered "
                f"{words.sessions(lag)} after the ranking and held for the horizon. The book is the mean of the "
                "day-portfolios then held (Jegadeesh and Titman 1993), so each day has one return. Drift of weights "
                "between two closes is ignored"
            ),
        ),
        (
            "Costs",
            (
                f"{cost:g} basis points of all that is traded; turnover is half of that, a day. Break-even cost: at "
                "which the mean return is 0; below 0 where the portfolio loses before costs"
            ),
        ),
        (
            "Returns and Sharpe ratio",
            (
                "mean daily return times 252; Sharpe: over the standard deviation times the root of 252, no riskless "
                "rate. Drawdown: the deepest fall of summed returns"
            ),
        ),
        ("Intervals", _bootstrap(facts)),
    )
    return [Heading(2, "Method"), Points((*points, *_of_models(facts))), rankings_table()]


def reproducibility(facts: PanelFacts) -> list[Block]:
    """Return params, identities and versions, and in the report of a capsule where it was rebuilt."""
    return [
        Heading(2, "Reproducibility"),
        Paragraph(
            "The same params, panel and code give the same figures, bit for bit: `dvc repro` in the study's folder. "
            "baselines.csv has every figure of this page, and predictions.parquet of the stage baselines every day."
        ),
        params_table(facts.params),
        fingerprints_table(facts.environment),
        environment_table(facts.environment),
        *([] if facts.environment.rebuilt is None else [Paragraph(facts.environment.rebuilt)]),
    ]


def _of_models(facts: PanelFacts) -> list[tuple[str, str]]:
    """Return the definitions that only models need."""
    if not facts.planned:
        return []
    return [
        (
            "Figures of a rung",
            (
                f"means over {counted(facts.params.train.seeds, 'seed')} that were trained afresh with the chosen "
                "configuration, each scored by itself: scores of seeds are never averaged. Pictures of returns show "
                "the mean of the seeds' portfolios, each with its own trades and costs"
            ),
        ),
        (
            "Best rung",
            "the one with the highest RankIC on the test days; largest rung: the one of the largest budget",
        ),
        (
            "Law",
            (
                "rank error = C·N^-alpha, fitted to the rungs' mean rank errors; RankIC per tenfold size is its slope "
                "in log10 N at the ladder's reference size, with the sign turned"
            ),
        ),
    ]


def _bootstrap(facts: PanelFacts) -> str:
    evaluation = facts.params.evaluation
    blocks = [
        f"{words.sessions(level.block)} on {region} (horizon {horizon})"
        for horizon, of_horizon in facts.scores.items()
        for region, level in of_horizon.regions.items()
    ]
    length = f", mean block {words.joined(blocks)}" if blocks else ""
    return (
        f"{confidence_level(evaluation.confidence)}, by the stationary block bootstrap over days "
        f"({evaluation.bootstrap_draws:,} draws{length}), its variance corrected for short blocks and entered into a t "
        "interval. A block is never shorter than the horizon, over which labels overlap"
    )


def _fifth(facts: PanelFacts) -> str:
    """Say how many stocks a fifth has where every day has as many members."""
    if facts.features is None or facts.features.members.least != facts.features.members.most:
        return ""
    members = facts.features.members.most
    return f"; a fifth of {members:,} members is {max(members // 5, 1):,} stocks"
