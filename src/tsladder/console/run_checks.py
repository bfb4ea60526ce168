"""Checks of a study before DVC starts, so that they are refused in one message."""

from __future__ import annotations

import datetime

from tsladder.errors import BadInput
from tsladder.params import AnyParams, PanelParams
from tsladder.places import Places
from tsladder.typed_yaml import read_yaml


def check_data(places: Places, params: AnyParams) -> None:
    """Raise BadInput where a file of data is missing, and where DVC could not read a day of a panel study."""
    if isinstance(params, PanelParams):
        _refuse_bare_days(places)
        path = places.bars(params.data.panel)
        if not path.exists():
            raise BadInput(
                f"{path} is missing: run `dvc pull data.dvc` in {places.project}, or `tsladder ingest FILE --panel "
                f"{params.data.panel}` for your own stocks"
            )
        return
    missing = [str(path) for symbol in params.data.markets if not (path := places.bars(symbol)).exists()]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise BadInput(
            f"{' and '.join(missing)} {are} missing: run `dvc pull data.dvc`, or `tsladder ingest` for your own bars"
        )


def _refuse_bare_days(places: Places) -> None:
    """Raise BadInput for a day without quotes, which YAML reads as a date and DVC reads not at all."""
    section = read_yaml(places.params)["splits"]
    faults = [
        f'splits.{name}: write the day in quotes, "{section[name]}": DVC reads no bare date'
        for name in ("validation_start", "test_start")
        if isinstance(section.get(name), datetime.date)
    ]
    if faults:
        raise BadInput(f"{places.params} holds a day that DVC cannot read:", faults)
