"""Open the cube that a panel study asks for, or build it of the panel's file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tsladder.panel.cube import Cube, cube_contents, cube_key, open_or_build_cube
from tsladder.panel.file import read_panel
from tsladder.panel.samples import PanelInputs, build_inputs, graph_of, with_graph
from tsladder.params import PanelParams
from tsladder.places import Places


def study_cube(places: Places, params: PanelParams, say: Callable[[str], None]) -> Cube:
    """Read the panel of the study and open its cube; the labels have the order of `params.horizons`.

    `say` gets a line where a file is replaced. Raises BadInput where the panel is missing, damaged or does not allow
    the question, WorkFailed where the cube cannot be written.
    """
    inputs = build_inputs(read_panel(places.bars(params.data.panel)), params)
    return opened_cube(places.cubes, inputs, params, say)


def opened_cube(folder: Path, inputs: PanelInputs, params: PanelParams, say: Callable[[str], None]) -> Cube:
    """Open the cube of `inputs` in `folder`, or build it. The graph is made only where the cube is built."""
    return open_or_build_cube(
        folder,
        study_cube_key(inputs, params),
        lambda: cube_contents(with_graph(inputs, params), params.target, params.horizons),
        say,
    )


def study_cube_key(inputs: PanelInputs, params: PanelParams) -> str:
    """Return the key of the cube of `inputs` under the question `params`."""
    return cube_key(inputs, params.target, params.horizons, graph_of(inputs, params))
