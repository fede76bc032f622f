"""Remove Snakemake's lock on a folder when no Snakemake works there any more.

Snakemake leaves its lock behind when it is killed, and refuses to start until `--unlock`. Only
processes of this machine are seen: a lock held from another one is to be removed by hand.
"""

import argparse
import subprocess
from pathlib import Path

import psutil

from study.errors import report_errors


def owners(folder: Path) -> list[int]:
    """Processes of Snakemake that work in `folder`."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        is_snakemake = any(Path(word).name == "snakemake" for word in words[:2])
        if is_snakemake and process.info["cwd"] == str(folder.resolve()):
            found.append(process.info["pid"])
    return found


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=".", help="the working directory")
    args = parser.parse_args()

    locked = any((args.folder / ".snakemake" / "locks").glob("*"))
    if locked and not owners(args.folder):
        print("unlocking: the Snakemake that held the lock is gone")
        snakefile = Path(__file__).parents[1] / "Snakefile"
        subprocess.run(
            ["snakemake", "--snakefile", snakefile, "--directory", args.folder, "--unlock"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


if __name__ == "__main__":
    main()
