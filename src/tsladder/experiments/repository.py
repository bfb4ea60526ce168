"""Read names and files of revisions of a repository through DVC's own code. No other module imports DVC.

Nothing in the workspace is touched: files come from git's objects and from DVC's cache, or from its remote where the
cache lacks them. DVC commands that change something are run as processes (`tsladder.console.dvc_process`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tsladder.errors import BadInput, WorkFailed
from tsladder.suggestions import similar

if TYPE_CHECKING:
    from dvc.api import DVCFileSystem
    from dvc.repo import Repo

WORKSPACE = "workspace"
"""Name of the files as they are in the working directory."""

_LISTED = 12


class Repository:
    """Git and DVC repository around the folder of a study. Raises BadInput where one of them is missing."""

    def __init__(self, root: Path) -> None:
        from dvc.exceptions import NotDvcRepoError
        from dvc.repo import Repo
        from dvc.scm import NoSCM

        try:
            self._repo: Repo = Repo(str(root))
        except NotDvcRepoError:
            raise BadInput(
                f"{root} is not a DVC repository: experiments are compared in the folder where `dvc exp run` made them"
            ) from None
        if isinstance(self._repo.scm, NoSCM):
            raise BadInput(
                f"{root} is not in a git repository, which DVC experiments need: run `git init` and `dvc init -f`"
            )
        self._inside = root.resolve().relative_to(self._repo.root_dir)

    def names(self) -> tuple[str, ...]:
        """Return the experiments by name, then branches and tags, and the workspace."""
        scm = self._repo.scm
        found = self._repo.experiments.ls(all_commits=True)
        experiments = sorted({name for entries in found.values() for name, _ in entries})
        return tuple(dict.fromkeys([*experiments, *scm.list_branches(), *scm.list_tags(), WORKSPACE]))

    def require(self, names: Iterable[str]) -> None:
        """Raise BadInput where any of `names` is not a revision, with the most similar names and the known ones."""
        from dvc.scm import RevError, resolve_rev

        unknown = []
        for name in names:
            if name == WORKSPACE:
                continue
            try:
                resolve_rev(self._repo.scm, name)
            except RevError:
                unknown.append(name)
        if unknown:
            known = self.names()
            raise BadInput(
                f"no experiment, branch, tag or commit is called {' or '.join(map(repr, unknown))} (a cell is written "
                f"like 2M-h1); there are {_listed(known)}",
                [f"{name}: did you mean {' or '.join(near)}?" for name in unknown if (near := similar(name, known))],
            )

    def at(self, name: str) -> Revision:
        """Return the files of revision `name`, which must exist."""
        from dvc.api import DVCFileSystem

        return Revision(name, DVCFileSystem(str(self._repo.root_dir), rev=name), self._inside)


class Revision:
    """Files of a study, in the folder `inside` of its repository, at one revision."""

    def __init__(self, name: str, files: DVCFileSystem, inside: Path) -> None:
        self._name = name
        self._files = files
        self._inside = inside

    def fetch(self, paths: Sequence[str], into: Path) -> None:
        """Copy `paths` (files, and folders with all their files) to the same places in `into`.

        Raises BadInput for a path that the revision does not have, for one that neither cache nor remote holds, and for
        a revision that DVC cannot read; WorkFailed where the remote fails.
        """
        from dvc.exceptions import DvcException, FileMissingError
        from dvc_data.index import DataIndexDirError

        try:
            missing = [path for path in paths if not self._has(path)]
        except DvcException as error:
            raise BadInput(f"DVC cannot read {self._name}: {error}; name another revision") from None
        if missing:
            raise BadInput(
                f"{self._name} has no {' and no '.join(missing)}: it was never built, or by a version of tsladder with "
                f"another layout. Build it (`dvc exp run`, or `git checkout {self._name}` and `tsladder run`), or name "
                "another revision"
            )
        for path in paths:
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            try:
                self._files.get(str(self._inside / path), str(into / path), recursive=True)
            except (FileNotFoundError, FileMissingError, DataIndexDirError):
                raise BadInput(self._lost(path)) from None
            except DvcException as error:
                raise WorkFailed(f"{path} of {self._name} could not be fetched: {error}") from None

    def _has(self, path: str) -> bool:
        # Its `exists` would return False for every error.
        try:
            self._files.info(str(self._inside / path))
        except FileNotFoundError:
            return False
        return True

    def _lost(self, path: str) -> str:
        name = self._name
        return (
            f"{path} of {name} is neither in DVC's cache nor in its remote. Bring it from where it was made (`dvc exp "
            f"pull <git remote> {name}`, or `dvc fetch --all-commits`), or build it again: `dvc exp apply {name}` or "
            f"`git checkout {name}`, then `tsladder run`"
        )


def _listed(known: Sequence[str]) -> str:
    shown = ", ".join(known[:_LISTED])
    return shown if len(known) <= _LISTED else f"{shown} and {len(known) - _LISTED} more (`dvc exp list --all`)"
