"""A figure's static form in the page: matplotlib's SVG, dark where the reader's theme is."""

import base64
import re

# Lightness is turned over and hues stay; where no other colour lies, the page's ground shows. Grey
# pictures, which figures draw dark on light, become what their data are.
_DARK = """\
path[style="fill: #ffffff"] { fill: none !important; }
#figure_1 { filter: invert(1) hue-rotate(180deg); }
"""

# Pictures in colour stay as they are: turned over twice.
_COLOUR = "image { filter: invert(1) hue-rotate(180deg); }\n"


def data_uri(figure: str, colour_pictures: bool) -> str:
    """The text of an SVG file as an image's source, whose pictures are in colour or are none."""
    rules = _DARK + (_COLOUR if colour_pictures else "")
    style = f"<style>@media (prefers-color-scheme: dark) {{\n{rules}}}</style>"
    themed = re.sub(r"<svg\b[^>]*>", lambda opened: opened[0] + style, figure, count=1)
    return f"data:image/svg+xml;base64,{base64.b64encode(themed.encode()).decode()}"
