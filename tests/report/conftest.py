import pytest
from tests.report import studies
from tests.report.whole_study import write_whole
from tests.without_pixels import leave_pixels_out

from tsladder.report.build import build_report
from tsladder.report.study_files import read_facts


@pytest.fixture(autouse=True, scope="module")
def drawings(request):
    """Render no picture, except where pictures are what is tested."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        if request.path.name not in ("test_figures.py", "test_models_pictures.py", "test_panel_pictures.py"):
            leave_pixels_out(monkeypatch)
        yield


@pytest.fixture
def study(tmp_path):
    """Places of a study with a law at horizons 1 and 3 and none at 5."""
    places = studies.write_study(tmp_path)
    underpowered = studies.law("underpowered", alpha=0.0123, beaten_by=["volatility_logistic"])
    studies.write_law(places, {"1": underpowered, "3": studies.law("too_few_rungs")})
    return places


@pytest.fixture
def facts(study):
    return read_facts(study, studies.study_params())


@pytest.fixture
def report(study):
    """The study with its report written."""
    build_report(study, studies.study_params())
    return study.report


@pytest.fixture
def whole(tmp_path):
    """Places of a study whose every stage has run."""
    return write_whole(tmp_path)
