"""Stage transfer: each cell's winner trained on the other horizons of its rung, where search.transfer asks for it."""

import sys

from tsladder.artifacts.plans import TransferPlan, read_plan
from tsladder.params import Params
from tsladder.places import Places
from tsladder.stage import run_study_stage


def build(places: Places, params: Params) -> None:
    if isinstance(read_plan(TransferPlan, places.transfer_plan), TransferPlan):
        from tsladder.execution.supervisor import start_fork_server

        start_fork_server()
    from tsladder.cells.transfer import transfer_winners

    transfer_winners(places, params)


if __name__ == "__main__":
    sys.exit(run_study_stage(build))
