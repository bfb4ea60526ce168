"""Fingerprints of the code that makes numbers: what must change for a trained cell to become stale.

A module's fingerprint is a hash of its syntax tree without docstrings and without the words of its exceptions
(comments never reach the tree), so a comment, a docstring, a message or a reformatting leaves every cell fresh. The
modules are found by following imports, also those inside functions, from those that `stage_code` names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tsladder.errors import WorkFailed
from tsladder.planning.same_numbers import same_numbers
from tsladder.planning.sources import read_source
from tsladder.planning.stage_code import NUMBER_MAKERS, is_outside


@dataclass(frozen=True, slots=True)
class Code:
    """Folders of the code in use: `stages` holds the scripts, `source` the package."""

    stages: Path
    source: Path

    @classmethod
    def in_use(cls) -> Code:
        """Return the folders of this process's code. Raises WorkFailed where the package was installed without its
        stages."""
        source = Path(__file__).resolve().parents[2]
        stages = source.parent / "stages"
        if not stages.is_dir():
            raise WorkFailed(f"{stages} is missing: install tsladder from a clone, with `pip install -e .`")
        return cls(stages, source)


def stage_fingerprint(stage: str, source: Path, chosen: Sequence[str] = ()) -> dict[str, str]:
    """Return the hash of every module that makes the numbers of `stage`, by module; of the earlier code where that made
    the same numbers.

    `source` is the folder that holds the package; `chosen` are modules that are loaded by name, so that no import leads
    to them. Raises WorkFailed when a module is missing or cannot be parsed.
    """
    return same_numbers().as_before(stage, module_fingerprints((*NUMBER_MAKERS[stage], *chosen), source, stage))


def module_fingerprints(modules: Sequence[str], source: Path, stage: str | None = None) -> dict[str, str]:
    """Return the hashes of `modules` and of every module that they import, by module, as far as they make numbers of
    `stage`."""
    return {name: read_source(path).digest for name, path in sorted(number_makers(modules, source, stage).items())}


def number_makers(modules: Sequence[str], source: Path, stage: str | None = None) -> dict[str, Path]:
    """Return the files of `modules` and of what they import, by module. Imports are not followed beyond a module of
    `OUTSIDE`, nor, where a stage is given, beyond one that `MADE_IN` assigns to other stages. Raises WorkFailed when
    one of `modules` is missing."""
    missing = [name for name in modules if _module_path(name, source) is None]
    if missing:
        raise WorkFailed(f"{source} lacks {', '.join(missing)}: the checkout is damaged; git status shows what is gone")
    return _closure(modules, source, lambda name: is_outside(name, stage))


def import_closure(start: Path, source: Path) -> dict[str, Path]:
    """Return the file of every module of the package that the file `start` imports, at the top or inside functions, by
    module."""
    return _closure(read_source(start).imports, source, lambda _: False)


def made_by(start: Path, source: Path) -> dict[str, Path]:
    """Return the import closure of the file `start` by module, without the modules of `OUTSIDE` and what only they
    import."""
    return _closure(read_source(start).imports, source, is_outside)


def _closure(names: Iterable[str], source: Path, left_out: Callable[[str], bool]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    queue = list(names)
    while queue:
        name = queue.pop()
        path = None if name in found or left_out(name) else _module_path(name, source)
        if path is not None:
            found[name] = path
            queue.extend(read_source(path).imports)
    return found


def _module_path(name: str, source: Path) -> Path | None:
    base = source.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.exists():
            return path
    return None
