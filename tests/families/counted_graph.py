"""The toy family with layers over a graph, while its file lies on the path on which families of panels are found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tsladder.families import panel
from tsladder.models.spec import PanelGeometry

NAME = "counted_graph"
GEOMETRY = PanelGeometry(
    family=NAME, context_length=20, n_features=9, patch_len=1, stride=1, revin=False, stocks=30, neighbours=5
)


@contextmanager
def counted_graph() -> Iterator[PanelGeometry]:
    own = panel.__path__
    panel.__path__ = [*own, str(Path(__file__).parent / "panel_toys")]
    try:
        yield GEOMETRY
    finally:
        panel.__path__ = own
        sys.modules.pop(f"tsladder.families.panel.{NAME}", None)
