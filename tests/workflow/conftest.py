import pytest

from small_study import Study


@pytest.fixture
def study(tmp_path) -> Study:
    """The small study, not run yet."""
    made = Study(tmp_path)
    made.configure()
    return made


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Study:
    made = Study(tmp_path_factory.mktemp("made_once"))
    made.configure()
    made.ok()
    return made


@pytest.fixture
def finished(made_once, tmp_path) -> Study:
    """The small study with its report: a copy, for a test to change."""
    return made_once.copy(tmp_path / "finished")
