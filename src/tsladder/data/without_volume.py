"""What to type to study a series that has no volume."""

from __future__ import annotations

from collections.abc import Sequence


def command_without_volume(symbol: str, markets: Sequence[str]) -> str:
    """`dvc exp run` of `symbol` with every volume column left out. `markets`: all symbols that are trained on."""
    pooled = [f"'data.symbols=[{','.join(markets)}]'"] if len(markets) > 1 else []
    return experiment_command([f"data.symbol={symbol}", *pooled, "data.volume=false"])


def experiment_command(leaves: Sequence[str]) -> str:
    """`dvc exp run` with these leaves, each leaf=value; the caller quotes what a shell would take apart."""
    return " ".join(["dvc exp run", *(f"-S {leaf}" for leaf in leaves)])
