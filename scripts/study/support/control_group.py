"""What the kernel says of a process's control group, at whose memory limit it kills processes."""

import re
from dataclasses import dataclass
from pathlib import Path

MEMBERSHIP = Path("/proc/self/cgroup")
MOUNTED = Path("/sys/fs/cgroup")

# By version of control groups: which line of `MEMBERSHIP` names the group, where its folder lies,
# and its file with the line `oom_kill <count>`.
_VERSIONS = (
    (r"^0::(/.*)$", ".", "memory.events"),
    (r"^\d+:(?:\w+,)*memory(?:,\w+)*:(/.*)$", "memory", "memory.oom_control"),
)


@dataclass(frozen=True)
class Kills:
    """How many processes the kernel has killed in a control group for want of memory."""

    file: str
    count: int


def kills() -> Kills | None:
    """Those of this process's control group; None where the kernel does not say."""
    try:
        membership = MEMBERSHIP.read_text(encoding="utf-8")
    except OSError:
        return None
    for line, folder, name in _VERSIONS:
        for group in re.findall(line, membership, re.M):
            # A container may see its own group in place of the root.
            for place in (group.lstrip("/"), "."):
                file = MOUNTED / folder / place / name
                count = count_in(file)
                if count is not None:
                    return Kills(str(file), count)
    return None


def count_in(file: Path) -> int | None:
    """The number of kills that a file of a control group tells of; None where it tells none."""
    try:
        told = re.search(r"^oom_kill (\d+)$", file.read_text(encoding="utf-8"), re.M)
    except (OSError, UnicodeDecodeError):
        return None
    return int(told[1]) if told else None
