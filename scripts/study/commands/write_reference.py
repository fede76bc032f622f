"""Write docs/reference/config.md: every key of config.yaml, from the schemas."""

import argparse
from pathlib import Path

from study.spec import config_reference
from study.support.errors import report_errors
from study.support.files import write_text

REFERENCE = Path(__file__).parents[1] / "docs" / "reference" / "config.md"


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=REFERENCE)
    write_text(parser.parse_args().output, config_reference.text())


if __name__ == "__main__":
    main()
