"""Question of a study as typed values. Code outside this package sees no dict of parameters: a function receives its
section."""

from tsladder.params.reading import load_params, parse_params
from tsladder.params.sections import (
    STRATEGIES,
    Choices,
    DataParams,
    EvaluationParams,
    HardwareParams,
    LawParams,
    Params,
    PresetParams,
    PruningParams,
    SpaceParams,
    Span,
    SplitParams,
    StopParams,
    TargetParams,
    TrainingParams,
    WindowParams,
    ZeroOr,
)

__all__ = [
    "STRATEGIES",
    "Choices",
    "DataParams",
    "EvaluationParams",
    "HardwareParams",
    "LawParams",
    "Params",
    "PresetParams",
    "PruningParams",
    "SpaceParams",
    "Span",
    "SplitParams",
    "StopParams",
    "TargetParams",
    "TrainingParams",
    "WindowParams",
    "ZeroOr",
    "load_params",
    "parse_params",
]
