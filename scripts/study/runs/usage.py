"""What this process has used so far, in the form of Snakemake's benchmark files.

Snakemake's own `benchmark:` reads the memory maps of its jobs twice a second, which for a process
with torch in it takes a tenth of a core; the system counts the same for nothing.
"""

import datetime
import resource
import sys
from pathlib import Path

from study.support.files import write_text

# Units of ru_maxrss: bytes on macOS, KiB elsewhere; of ru_inblock and ru_oublock everywhere.
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
BLOCK_BYTES = 512

MIB = 2**20


def write(path: Path, seconds: float) -> None:
    """Write a row of the `seconds` since the start, peak memory and traffic (MiB), and load (%)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    processor = used.ru_utime + used.ru_stime
    columns = {
        "s": f"{seconds:.2f}",
        "h:m:s": str(datetime.timedelta(seconds=round(seconds))),
        "max_rss": f"{used.ru_maxrss * MAXRSS_BYTES / MIB:.2f}",
        "io_in": f"{used.ru_inblock * BLOCK_BYTES / MIB:.2f}",
        "io_out": f"{used.ru_oublock * BLOCK_BYTES / MIB:.2f}",
        "mean_load": f"{100 * processor / seconds:.2f}",
        "cpu_time": f"{processor:.2f}",
    }
    write_text(path, "\n".join(map("\t".join, (columns, columns.values()))) + "\n")
