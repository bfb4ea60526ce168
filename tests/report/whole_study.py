"""A study whose every stage has run: three rungs at horizon 1, one at 3, audit and law with support."""

from tests.law_json import scaling_json
from tests.report import evidence, studies

from tsladder.law.points import RungPoint
from tsladder.params import EvaluationParams, LawParams
from tsladder.report.study_files import read_facts


def write_whole(root):
    """`Places` of it."""
    places = studies.write_study(root)
    for horizon in (1, 3, 5):
        studies.write(places.horizon_splits(horizon), studies.whole_splits(horizon))
    law = scaling_json(
        {horizon: rungs(horizon) for horizon in (1, 3, 5)},
        [],
        LawParams(region="test", alpha_of_interest=0.015),
        EvaluationParams(bootstrap_draws=100, confidence=0.95),
        read_facts(places, studies.study_params()).study_key,
        1,
    )
    studies.write(places.law / "scaling.json", law)
    evidence.enrich(places)
    return places


def rungs(horizon):
    sizes = {name: n for name, n in studies.SCORED.items() if name.endswith(f"h{horizon}")}
    losses = (0.352, 0.344, 0.349)
    return [
        RungPoint(
            cell=name,
            n_params=float(n),
            n_params_blocks=n - 5_000.0,
            n_params_body=n - 4_000.0,
            loss=loss,
            se=0.003,
            seeds=((1, loss - 0.003), (2, loss + 0.003)),
            has_skill=True,
        )
        for (name, n), loss in zip(sizes.items(), losses, strict=False)
    ]
