"""Tell how two studies differ: in settings, and in results beyond the noise between seeds."""

import argparse
from pathlib import Path

from study.report import study_comparison_text
from study.results import study_comparison
from study.support.errors import report_errors
from study.support.files import write_text
from study.support.language import Language


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("a", type=Path, help="the results of one study")
    parser.add_argument("b", type=Path, help="the results of another")
    parser.add_argument(
        "--output", type=Path, default="comparison", help="a folder for comparison.<language>.*"
    )
    args = parser.parse_args()

    a, b = study_comparison.read(args.a), study_comparison.read(args.b)
    texts = {}
    for code in a.plan["languages"]:
        language = Language(code)
        texts[code] = study_comparison_text.render(a, b, language)
        page = study_comparison_text.page(texts[code], language)
        write_text(args.output / f"comparison.{code}.md", texts[code])
        write_text(args.output / f"comparison.{code}.html", page)
    print(texts.get("en", next(iter(texts.values()))))
    for code in texts:
        print(f"page: {(args.output / f'comparison.{code}.html').resolve()}")


if __name__ == "__main__":
    main()
