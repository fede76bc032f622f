"""The kernel's count of what it has killed for want of memory, read from made-up files."""

import pytest

from study.support import control_group
from study.support.control_group import Kills

V2 = "memory.events", "low 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n"
V1 = "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose process is a member of a group, with the kernel's files of one."""

    def made(membership, folder, file):
        (tmp_path / "cgroup").write_text(membership, encoding="utf-8")
        name, text = file
        (tmp_path / "fs" / folder).mkdir(parents=True)
        (tmp_path / "fs" / folder / name).write_text(text, encoding="utf-8")
        monkeypatch.setattr(control_group, "MEMBERSHIP", tmp_path / "cgroup")
        monkeypatch.setattr(control_group, "MOUNTED", tmp_path / "fs")
        return tmp_path / "fs" / folder / name

    return made


@pytest.mark.parametrize(
    ("membership", "folder", "file"),
    [
        ("0::/job_7/step_0\n", "job_7/step_0", V2),
        # A container's own group is mounted as the root.
        ("0::/docker/1f\n", ".", V2),
        ("0::/\n", ".", V2),
        ("4:cpu,cpuacct:/a\n3:memory:/slurm/job_7\n0::/\n", "memory/slurm/job_7", V1),
        ("3:hugetlb,memory:/job_7\n", "memory/job_7", V1),
    ],
)
def test_kills_are_counted_by_either_version(machine, membership, folder, file):
    path = machine(membership, folder, file)
    found = control_group.kills()
    assert found is not None
    assert found.count == 2
    assert path.samefile(found.file)


@pytest.mark.parametrize("text", ["", "oom 3\n", "oom_kill many\n", "oom_kill"])
def test_a_file_that_tells_no_count_tells_nothing(machine, text):
    machine("0::/job\n", "job", ("memory.events", text))
    assert control_group.kills() is None


def test_without_control_groups_nothing_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(control_group, "MEMBERSHIP", tmp_path / "absent")
    assert control_group.kills() is None


def test_what_is_counted_now_is_read_again(machine):
    path = machine("0::/job\n", "job", V2)
    before = control_group.kills()
    path.write_text("oom_kill 3\n", encoding="utf-8")
    assert control_group.kills() == Kills(before.file, 3)
    assert control_group.count_in(path.with_name("gone")) is None
