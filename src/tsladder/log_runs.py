"""Drain the spool of MLflow's copy while a run goes on: `python -m tsladder.log_runs FOLDER`, begun by `tsladder run`.

It ends when its standard input does, which is when the run ends, however that happens.
"""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

from tsladder.tracking import TRACKING_URI, drainer_of

_LOOK_SECONDS = 0.5


def main(folder: Path) -> None:
    """Drain the spool in `folder` until the end of standard input, and what is left then."""
    drainer = drainer_of(folder, os.environ.get(TRACKING_URI) or None)
    ended = False
    while not ended:
        ended = bool(select.select([sys.stdin], [], [], _LOOK_SECONDS)[0])
        if drainer.spool.count():
            drainer.wake()
    drainer.settle()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
