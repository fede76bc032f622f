"""A study is the same whatever a notebook, a container or a shell has set for other programs."""

import pyarrow.parquet as pq

from small_study import Study
from study.support import environment

HOSTILE = dict.fromkeys(environment.TAKEN_OUT, "1") | {
    "OPENBLAS_CORETYPE": "Prescott",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "MKL_CBWR": "COMPATIBLE",
    "LC_ALL": "C",
    "PYTHONHASHSEED": "7",
    "PYTHONOPTIMIZE": "2",
    "PYTHONSAFEPATH": "1",
    "TZ": "Asia/Kathmandu",
}

# Drawn over the seconds that training took, which no two trainings share.
TIMED = "glance_cost."

MATPLOTLIBRC = """
backend: module://matplotlib_inline.backend_inline
font.size: 20
lines.markersize: 20
savefig.bbox: tight
svg.fonttype: none
"""


def test_a_hostile_environment_changes_no_number_and_no_figure(made_once, tmp_path):
    study = Study(tmp_path)
    study.configure()
    (tmp_path / "matplotlibrc").write_text(MATPLOTLIBRC, encoding="utf-8")
    done = study.run(**HOSTILE)
    assert done.returncode == 0, done.output
    assert study.content() == made_once.content()
    for table in ("summary", "comparisons", "claims"):
        there, here = (
            pq.read_table(each.results / f"{table}.parquet").to_pydict()
            for each in (made_once, study)
        )
        assert str(here) == str(there), table
    figures = {path.name: path.read_bytes() for path in made_once.results.glob("figures/*")}
    assert any(name.startswith(TIMED) for name in figures)
    other = [
        name
        for name, content in figures.items()
        if (study.results / "figures" / name).read_bytes() != content and not name.startswith(TIMED)
    ]
    assert not other
