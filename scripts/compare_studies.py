"""Tell how two studies differ: in settings, and in results beyond the noise between seeds."""

import argparse
from pathlib import Path

from study import study_comparison, study_comparison_text
from study.errors import report_errors
from study.files import write_text
from study.language import Language


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("a", type=Path, help="the results of one study")
    parser.add_argument("b", type=Path, help="the results of another")
    parser.add_argument(
        "--output",
        type=Path,
        help="a folder for comparison.<language>.md and .html; else that of A",
    )
    args = parser.parse_args()

    a, b = study_comparison.read(args.a), study_comparison.read(args.b)
    output = args.output or args.a
    texts = {}
    for code in a.plan["languages"]:
        language = Language(code)
        texts[code] = study_comparison_text.render(a, b, language)
        write_text(output / f"comparison.{code}.md", texts[code])
        write_text(
            output / f"comparison.{code}.html", study_comparison_text.page(texts[code], language)
        )
    print(texts.get("en", next(iter(texts.values()))))
    for code in texts:
        print(f"page: {(output / f'comparison.{code}.html').resolve()}")


if __name__ == "__main__":
    main()
