"""The largest memory of each rung on a GPU that is not here, by the formulas of `tsladder plan`.

    python benchmarks/gpu_memory.py                  the study in this folder, on 24 and 80 GiB less 1 GiB each
    python benchmarks/gpu_memory.py --gib 47

Reads params.yaml. Needs no GPU.
"""

from __future__ import annotations

import argparse

from tsladder.params import load_any_params
from tsladder.places import Places
from tsladder.planning.machine import Machine
from tsladder.planning.memory import predicted_memory_gib
from tsladder.planning.rung_layout import lay_out_cells
from tsladder.search.forced_trials import forced_by_cell


def main() -> None:
    parser = argparse.ArgumentParser(description="The largest memory of each rung on a GPU.")
    parser.add_argument("--gib", type=float, nargs="+", default=[23.0, 79.0], help="memory of the GPU")
    places = Places.here()
    params = load_any_params(places.params)
    forced = {cell: admitted.forced for cell, admitted in forced_by_cell(places, params).items()}
    for gib in parser.parse_args().gib:
        machine = Machine(cores=8, memory_gib=gib, device="cuda")
        for cell, layout in lay_out_cells(places, params, machine, forced).items():
            if cell.horizon == params.horizons[0]:
                peak = max(predicted_memory_gib(spec, plan) for spec, plan in layout.plans.items())
                print(f"{gib:g} GiB  {cell.budget:>5}  {peak:.1f} GiB")


if __name__ == "__main__":
    main()
