"""Scaling laws of time-series transformers: whether their error falls as a power of their parameter count.

In a notebook: `tsladder.load_study(path)`, `tsladder.load_panel_study(path)` and `tsladder.fit_law(table)`; see
`tsladder.api`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tsladder.api import Law, PanelStudy, Study, fit_law, load_panel_study, load_study

__all__ = ["Law", "PanelStudy", "Study", "fit_law", "load_panel_study", "load_study"]


def __getattr__(name: str) -> Any:
    """Load the public interface on first access: every command imports this package and must start fast."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import tsladder.api

    return getattr(tsladder.api, name)
