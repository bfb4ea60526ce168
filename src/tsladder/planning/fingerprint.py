"""Fingerprints of the code that makes numbers: what must change for a trained cell to become stale.

A module's fingerprint is a hash of its syntax tree without docstrings (comments never reach the tree), so a
comment, a docstring or a reformatting leaves every cell fresh. The modules are found by following imports,
also those inside functions, from a stage's script.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tsladder.errors import WorkFailed
from tsladder.planning.sources import read_source

NUMBERLESS = frozenset(
    {
        "tsladder.errors",
        "tsladder.log_file",
        "tsladder.log_relay",
        "tsladder.params",
        "tsladder.places",
        "tsladder.records",
        "tsladder.results",
        "tsladder.tracking",
        "tsladder.training.memory_guard",
        "tsladder.training.pulse",
        "tsladder.training.suspension",
        "tsladder.training.thermal_guard",
        "tsladder.training.thermometer",
        "tsladder.training.training_log",
        "tsladder.search.start_lines",
        "tsladder.typed_yaml",
        "tsladder.vocabulary",
        "tsladder.planning.activations",
        "tsladder.planning.calibration",
        "tsladder.planning.cells",
        "tsladder.planning.duration",
        "tsladder.planning.endings",
        "tsladder.planning.fingerprint",
        "tsladder.planning.free_memory",
        "tsladder.planning.identity",
        "tsladder.planning.machine",
        "tsladder.planning.memory",
        "tsladder.planning.misfit",
        "tsladder.planning.plans",
        "tsladder.planning.sources",
        "tsladder.planning.step_costs",
        "tsladder.stage",
        "tsladder.stage_log",
        "tsladder.locks",
        "tsladder.interruption",
    }
)
"""Modules reached by the stages that alter no number: reading and checking input, writing, laying out work on the
machine. A package named here stands for all its modules. What they hand on is in the plan file by value."""


@dataclass(frozen=True, slots=True)
class Code:
    """Where the code that runs lies: `stages` holds the scripts, `source` the package."""

    stages: Path
    source: Path

    @classmethod
    def in_use(cls) -> Code:
        """The code of this very process. Raises WorkFailed where the package was installed without its stages."""
        source = Path(__file__).resolve().parents[2]
        stages = source.parent / "stages"
        if not stages.is_dir():
            raise WorkFailed(f"{stages} is missing: install tsladder from a clone, with `pip install -e .`")
        return cls(stages, source)


def stage_fingerprint(stage: Path, source: Path) -> dict[str, str]:
    """Module -> fingerprint for the script `stage` and every module of ours that it reaches, but NUMBERLESS.

    `source` is the folder that holds the package. Raises WorkFailed when a module cannot be parsed.
    """
    return dict(sorted({f"stages.{stage.stem}": read_source(stage).digest, **_reached(stage, source)}.items()))


def module_fingerprints(module: Path, source: Path) -> dict[str, str]:
    """The same for a module of ours that is loaded by name, where no import leads to it."""
    name = ".".join(module.relative_to(source).with_suffix("").parts)
    return {name: read_source(module).digest, **_reached(module, source)}


def _reached(start: Path, source: Path) -> dict[str, str]:
    closure = import_closure(start, source)
    return {module: read_source(path).digest for module, path in closure.items() if not is_numberless(module)}


def is_numberless(module: str) -> bool:
    return any(module == name or module.startswith(name + ".") for name in NUMBERLESS)


def import_closure(start: Path, source: Path) -> dict[str, Path]:
    """Module name -> file of every module of the package reached from the file `start`."""
    found: dict[str, Path] = {}
    queue = [start]
    while queue:
        for name in read_source(queue.pop()).imports:
            path = _module_path(name, source)
            if path is not None and name not in found:
                found[name] = path
                queue.append(path)
    return found


def _module_path(name: str, source: Path) -> Path | None:
    base = source.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.exists():
            return path
    return None
