import pytest

from small_study import Study


@pytest.fixture
def study(tmp_path) -> Study:
    made = Study(tmp_path)
    made.configure()
    return made
