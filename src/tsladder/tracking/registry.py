"""Register the law as the model `scaling-law`, with a new version each time."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsladder.tracking.address import TRACKING_URI
from tsladder.tracking.runs import LAW_NAME

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature


def register(client: MlflowClient, record: Mapping[str, Any], *, run_id: str, origin: Mapping[str, str]) -> None:
    """Log the model of `record` (scaling.json) under `run_id` and add a version with the tags `origin`.

    The model is `law_model.py`, stored as code beside the record; its requirements are named, because inferring them
    takes MLflow half a minute.
    """
    import mlflow.pyfunc
    from mlflow.models import Model

    with tempfile.TemporaryDirectory() as folder, _tracking_uri(client.tracking_uri):
        scaling = Path(folder) / "scaling.json"
        scaling.write_text(json.dumps(record, sort_keys=True), encoding="utf-8")
        # Set explicitly, because Model.log alone would use the default experiment and the working folder.
        experiment_id = client.get_run(run_id).info.experiment_id
        logged = client.create_logged_model(experiment_id, name=LAW_NAME, source_run_id=run_id, tags=dict(origin))
        model = Model.log(
            artifact_path=None,
            model_id=logged.model_id,
            flavor=mlflow.pyfunc,
            run_id=run_id,
            python_model=str(Path(__file__).with_name("law_model.py")),
            artifacts={"scaling": str(scaling)},
            signature=_signature(),
            pip_requirements=[f"{name}=={version(name)}" for name in ("mlflow", "numpy", "pandas")],
        )
        if not client.search_registered_models(f"name = '{LAW_NAME}'"):
            client.create_registered_model(LAW_NAME)
        client.create_model_version(
            LAW_NAME, source=model.model_uri, run_id=run_id, model_id=model.model_id, tags=dict(origin)
        )


def _signature() -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import AnyType

    # A `double` column refuses integers and a `long` one refuses 2e6: counts come as either.
    anything = AnyType()  # type: ignore[no-untyped-call]
    inputs = Schema([ColSpec(anything, "n_params"), ColSpec(anything, "horizon")])
    outputs = Schema([ColSpec(DataType.double, name) for name in ("loss", "lower", "upper")])
    return ModelSignature(inputs=inputs, outputs=outputs)


@contextlib.contextmanager
def _tracking_uri(uri: str) -> Iterator[None]:
    """Set MLflow's process-wide tracking address to `uri` during the block: models can be logged in no other way.

    MLflow sets its environment variable too, from which other parts of a process find the store of the study.
    """
    import mlflow

    before, given = mlflow.get_tracking_uri(), os.environ.get(TRACKING_URI)
    mlflow.set_tracking_uri(uri)
    try:
        with warnings.catch_warnings():  # the signature is given: no example is needed to guess it
            warnings.filterwarnings("ignore", message="(?s).*input example was not provided", category=UserWarning)
            yield
    finally:
        mlflow.set_tracking_uri(before)
        os.environ.pop(TRACKING_URI, None)
        if given is not None:
            os.environ[TRACKING_URI] = given
