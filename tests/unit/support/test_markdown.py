"""Markdown as GitHub reads it."""

from study.support import markdown


def test_table_lines_up():
    assert markdown.table(["Name", "%"], [["a", "1.0"], ["long name", "12.34"]], "lr") == (
        "| Name      |     % |\n| --------- | ----: |\n| a         |   1.0 |\n| long name | 12.34 |"
    )


def test_a_bar_stays_within_its_cell():
    table = markdown.table(["a|b"], [[r"c\|d"]], "l")
    assert table.splitlines()[0] == r"| a\|b |"
    assert table.splitlines()[2] == r"| c\|d |"


def test_escaped():
    assert markdown.escaped("T-shirt/top") == "T-shirt/top"
    assert markdown.escaped("a_b *c* <d>") == r"a\_b \*c\* \<d\>"
    assert markdown.escaped("a\n\n# b &lt; \x1b[2J") == r"a # b \&lt; \\x1b\[2J"


def test_anchors_are_githubs():
    document = "# One\n\n## What is it?\n\n### Época 1: «más», × menos\n\n## What is it?\n"
    assert [anchor for _, _, anchor in markdown.headings(document)] == [
        "one",
        "what-is-it",
        "época-1-más--menos",
        "what-is-it-1",
    ]


def test_contents_have_two_levels():
    document = "# Title\n\n## A\n\n### B\n\n#### C\n\n## D\n"
    assert markdown.contents(document) == "- [A](#a)\n  - [B](#b)\n- [D](#d)"


def test_a_folded_table_is_one_again_when_it_is_unfolded():
    table = markdown.table(["Name", "n"], [[f"row {n}", str(n)] for n in range(5)], "lr")
    document = f"Before.\n\n{table}\n\nAfter.\n"
    folded = document.replace(table, markdown.folded(table, 2, "3 more rows"))
    seen, _, rest = folded.partition("<details><summary>3 more rows</summary>\n\n")
    assert [line.split()[2] for line in seen.splitlines() if line.startswith("| row")] == ["0", "1"]
    assert rest.splitlines()[:2] == table.splitlines()[:2]
    assert rest.count("| row") == 3
    assert markdown.unfolded(folded) == document
    assert markdown.unfolded(document) == document
