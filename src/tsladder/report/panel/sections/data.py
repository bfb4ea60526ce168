"""Data and universe of a panel study, and the sample days of each region."""

from __future__ import annotations

from tsladder.artifacts.panel_features import PanelFeatures
from tsladder.report.blocks import Block, Heading, Paragraph, Points, or_words
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.tables import splits_table

_RETURNS = {
    "price": "price returns: dividends are missing",
    "total": "total returns: dividends are counted",
}
_COLUMNS_OF_SPLITS = (
    "A sample is a day with enough members whose window and label lie within its region. Judged: enough stocks have a "
    "label. Too few members: no sample. No entry: not traded on the day of entry, so without a label. Left early: not "
    "traded at the end of the span, so the label ends with the last price in it."
)


def data(facts: PanelFacts) -> list[Block]:
    """Return the panel, its universe, its splits, and the stocks that left early."""
    features = facts.features
    blocks: list[Block] = [Heading(2, "Data and splits")]
    if features is None:
        blocks.append(Paragraph("The features have not been built."))
    else:
        blocks.append(Points(tuple(_panel(facts, features))))
    blocks += or_words(splits_table(facts), "The splits have not been cut.")
    if not facts.splits:
        return blocks
    blocks.append(Paragraph(_COLUMNS_OF_SPLITS))
    notes = tuple(_notes(facts))
    return [*blocks, *([Points(notes)] if notes else [])]


def _panel(facts: PanelFacts, features: PanelFeatures) -> list[tuple[str, str]]:
    universe, members = facts.params.universe, features.members
    rules = [f"{universe.min_history:,} traded days before the day itself"]
    if universe.min_price is not None:
        rules.append(f"Close of at least {universe.min_price:g}")
    if universe.top is not None:
        rules.append(f"among the {universe.top:,} with the largest turnover")
    spread = (
        f"{members.least:,} every day"
        if members.least == members.most
        else f"{members.least:,} to {members.most:,} a day, median {members.median:g}"
    )
    lags = ", ".join(f"{column} {words.sessions(lag)}" for column, lag in features.lags.items())
    return [
        ("Panel", f"{features.panel}: {features.source}"),
        ("Licence", features.licence),
        ("Sessions", f"{features.sessions:,}, {features.first_day} to {features.last_day}"),
        ("Stocks", f"{features.symbols:,}"),
        ("Members", f"{spread}; a member has {'; '.join(rules)}"),
        (
            "Days with enough members",
            f"{features.days:,} from {features.first_sample_day} on (at least {universe.min_stocks:,} members)",
        ),
        ("Rows without trade", f"{features.not_traded_rows:,}"),
        ("Delisted", words.some(features.delisted) or "none in the file"),
        ("Returns", _RETURNS.get(features.returns, features.returns)),
        (
            "Columns for models",
            (
                f"{len(features.columns)}, tier {features.tier}, normalised by {features.normalisation} within each day"
                f"{f'; published late: {lags}' if lags else ''}; baselines always use tier c21"
            ),
        ),
    ]


def _notes(facts: PanelFacts) -> list[tuple[str, str]]:
    """Name the stocks that left early and the first days without enough members."""
    found = []
    for horizon, splits in facts.splits.items():
        for region, own in splits.counts.items():
            where = f"{region.value}, horizon {horizon}"
            if own.left_early:
                found.append((f"Left early, {where}", f"{own.left_early:,} labels of {words.some(own.left)}"))
            if own.too_few and own.first_too_few is not None:
                found.append((f"Too few members, {where}", f"{own.too_few:,} days, the first is {own.first_too_few}"))
    return found
