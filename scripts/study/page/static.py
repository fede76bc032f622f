"""A figure's static form in the page: matplotlib's SVG, dark where the reader's theme is."""

import base64
import re
from dataclasses import dataclass

# Lightness is turned over and hues stay; where no other colour lies, the page's ground shows. Grey
# pictures, which figures draw dark on light, become what their data are.
_DARK = """\
path[style="fill: #ffffff"] { fill: none !important; }
#figure_1 { filter: invert(1) hue-rotate(180deg); }
"""

# Pictures in colour stay as they are: turned over twice.
_COLOUR = "image { filter: invert(1) hue-rotate(180deg); }\n"


@dataclass(frozen=True)
class Image:
    """An image that stands in the page; its width and height, which keep its place, in points."""

    source: str
    width: str
    height: str


def image(figure: str, colour_pictures: bool) -> Image:
    """That of the text of an SVG file, whose pictures are in colour or are none."""
    rules = _DARK + (_COLOUR if colour_pictures else "")
    style = f"<style>@media (prefers-color-scheme: dark) {{\n{rules}}}</style>"
    themed = re.sub(r"<svg\b[^>]*>", lambda opened: opened[0] + style, figure, count=1)
    source = f"data:image/svg+xml;base64,{base64.b64encode(themed.encode()).decode()}"
    width, height = re.findall(r'viewBox="0 0 (\S+) (\S+)"', figure)[0]
    return Image(source, width, height)
