"""The command that studies a series without volume."""

from __future__ import annotations

from collections.abc import Sequence


def command_without_volume(symbol: str, markets: Sequence[str]) -> str:
    """Return `dvc exp run` of `symbol` with every volume column left out. `markets`: all symbols used for training."""
    pooled = [f"'data.symbols=[{','.join(markets)}]'"] if len(markets) > 1 else []
    return experiment_command([f"data.symbol={symbol}", *pooled, "data.volume=false"])


def experiment_command(leaves: Sequence[str]) -> str:
    """Return `dvc exp run` with these leaves, each leaf=value; the caller must quote special characters of the
    shell."""
    return " ".join(["dvc exp run", *(f"-S {leaf}" for leaf in leaves)])
