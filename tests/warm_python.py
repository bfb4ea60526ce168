"""Programs of Python forked from a process in which the large libraries are loaded, for tests that start many.

A stage under DVC spends most of its time on importing torch, pandas and MLflow. Here `python -m dvc repro` and every
`python stages/hpo.py` that it starts are forks of one server for each process of tests. It has imported such libraries
and nothing of tsladder: a program loads tsladder's modules itself, from the PYTHONPATH and with the arguments,
environment, folder and streams that it was started with, and ends as an interpreter ends. `tsladder run` itself is an
ordinary process where a test interrupts it, and so is the search in most tests that kill one.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from tests import studies, warm_client, warm_server
from tests.studies import ROOT, checked, environment
from tsladder.places import Places


def run(
    arguments: Sequence[str], folder: Path, variables: Mapping[str, str], *, stages_too: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run `python ARGUMENTS` in `folder` to its end; return what subprocess.run returns with captured text.

    `stages_too`: whether what it starts of Python, such as DVC and stages, is forked, too. Stages that import next to
    nothing start faster by themselves.
    """
    inside = with_warm_stages(variables)
    if not stages_too:
        inside["PATH"] = variables["PATH"]
        del inside[warm_client.MODULES_TOO]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error, Path(os.devnull).open() as nothing:
        streams = [nothing.fileno(), out.fileno(), error.fileno()]
        code = warm_client.ask(arguments, str(folder), inside, streams)
        return subprocess.CompletedProcess(["python", *arguments], code, _text(out), _text(error))


def with_warm_stages(variables: Mapping[str, str]) -> dict[str, str]:
    """Environment for an ordinary process whose `python stages/NAME.py` are forked from the server, and so is what
    `module` starts by its own interpreter.

    Such a program is of another process group. Signals to the process that stands for it are passed on to it.
    """
    home = _home()
    path = f"{home / 'bin'}{os.pathsep}{variables['PATH']}"
    return {**variables, "PATH": path, warm_client.SOCKET: str(home / "socket"), warm_client.MODULES_TOO: "1"}


def module(name: str, *arguments: str) -> list[str]:
    """Command of `python -m NAME ARGUMENTS` as an ordinary process that starts what it starts of Python, such as DVC
    and stages, warm: in the environment `with_warm_stages`."""
    code = (
        "import runpy, sys\n"
        f"sys.executable = {str(_home() / 'bin' / 'python')!r}\n"
        "del sys.argv[0]\n"
        "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)\n"
    )
    return [sys.executable, "-c", code, name, *arguments]


def start_stage(places: Places, name: str, *arguments: str) -> subprocess.Popen[str]:
    """Start one stage script as `tests.studies.start_stage` does, warm; a SIGKILL is passed on to the stage alone."""
    python = str(_home() / "bin" / "python")
    return studies.start_stage(places, name, *arguments, python=python, variables=with_warm_stages(environment()))


def stage(places: Places, name: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run one stage script to its end, as `tests.studies.stage` does."""
    done = run([str(ROOT / "stages" / f"{name}.py"), *arguments], places.root, environment())
    return checked(name, done) if check else done


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()


@functools.cache
def _home() -> Path:
    """Start the server of this process, which ends with it, and return the folder of its socket and of `python`."""
    home = Path(tempfile.mkdtemp(prefix="warm-"))  # a short name: that of a socket has about 100 characters
    (home / "bin").mkdir()
    python = home / "bin" / "python"
    python.write_text(f"#!{sys.executable} -IS\n{Path(warm_client.__file__).read_text()}")
    python.chmod(0o755)
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "DVC_ROOT")}
    server = subprocess.Popen(
        [sys.executable, warm_server.__file__, str(home / "socket")],
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None

    def end() -> None:
        server.communicate()
        shutil.rmtree(home)

    atexit.register(end)
    assert server.stdout.readline() == "ready\n", "the server of warm programs did not start"
    return home
