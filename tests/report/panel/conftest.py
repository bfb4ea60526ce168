import pytest
from tests.report.panel import finished


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory):
    """Places of a panel study whose every stage has run, written once; for reading only."""
    return finished.write_finished(tmp_path_factory.mktemp("finished"))
