"""From a matplotlib figure to inline SVG: one drawing for light, dark and print.

The drawing's stand-in colours become CSS variables, its ids get a prefix so that figures share a page, its artists of one
learner a class to highlight them by, and its numbers one decimal. Each panel of a grid becomes an SVG of its own, so that
the page can flow them.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from reports.looks import VARIABLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
DROPPED = f"{{{SVG}}}metadata", f"{{{SVG}}}clipPath"
"""Nothing is clipped: what is drawn lies within its panel."""
SERIES = re.compile(r"series-(\d+)")
PANEL = re.compile(r"panel-(\d+)")
DECIMALS = re.compile(r"(\d+\.\d)\d+")
FAMILY = re.compile(r"\s*font-family: [^;]*;?")
UPRIGHT = re.compile(r"rotate\(-?0 [^)]*\)")
COLOUR = re.compile("|".join(VARIABLES))
NUMERIC = "d", "x", "y", "transform", "points", "width", "height", "viewBox"


def inline(figure: Figure, name: str, title: str) -> str:
    """The whole figure as one SVG element; `name` prefixes ids, `title` is what a screen reader says."""
    root = _clean(figure, name)
    return _element(root.get("viewBox", ""), title, list(root))


def panels(figure: Figure, name: str, titles: list[str], columns: int) -> list[str]:
    """Each axes whose gid is `panel-i` as an SVG element, cut out of an even grid with so many columns."""
    root = _clean(figure, name)
    rows = -(-len(titles) // columns)
    width, height = (72 * x for x in figure.get_size_inches())
    cut = []
    for group in root.iter(f"{{{SVG}}}g"):
        found = PANEL.fullmatch(group.get("data-panel", ""))
        if found:
            row, column = divmod(int(found[1]), columns)
            box = f"{column * width / columns:g} {row * height / rows:g} {width / columns:g} {height / rows:g}"
            cut.append(_element(box, titles[int(found[1])], [group]))
    return cut


def _clean(figure: Figure, name: str) -> ET.Element:
    """The figure's tree without what is not drawn."""
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "text.parse_math": False}):
        figure.savefig(
            out, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    root = ET.fromstring(out.getvalue())  # noqa: S314  matplotlib has just written it
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in DROPPED or (child.get("id") or "").startswith("patch_"):
                parent.remove(child)
    for element in root.iter():
        _rename(element, name)
    return root


def _rename(element: Any, name: str) -> None:
    """Prefix the id, or turn it into a class; colours into variables, numbers into short ones."""
    given = element.attrib.pop("id", None)
    if given is not None:
        series, panel = SERIES.fullmatch(given), PANEL.fullmatch(given)
        if series:
            element.set("class", f"series s-{series[1]}")
        elif panel:
            element.set("data-panel", given)
        elif not given.startswith(("line2d_", "text_", "matplotlib.", "xtick_", "ytick_", "figure_", "axes_", "PathCollection_")):
            element.set("id", f"{name}-{given}")
    for key, value in list(element.attrib.items()):
        if key.endswith("href") and value.startswith("#"):
            del element.attrib[key]
            element.set("href", f"#{name}-{value[1:]}")
        elif key.endswith("href"):
            raise AssertionError(f"a figure refers to {value[:40]!r}: draw it as paths")
        elif key == "clip-path":
            del element.attrib[key]
        elif key in NUMERIC:
            element.set(key, UPRIGHT.sub("", DECIMALS.sub(r"\1", value)).strip())
        elif key == "style":
            element.set(key, FAMILY.sub("", COLOUR.sub(lambda m: VARIABLES[m[0]], value)))


def _element(box: str, title: str, parts: list[ET.Element]) -> str:
    """One SVG element with what is defined for all of them, shown through the view box."""
    made = ET.Element(f"{{{SVG}}}svg", {"viewBox": box, "role": "img", "class": "drawn"})
    heading = ET.SubElement(made, f"{{{SVG}}}title")
    heading.text = title
    made.extend(parts)
    ET.register_namespace("", SVG)
    text = ET.tostring(made, encoding="unicode")
    return re.sub(r"\s*\n\s*", "\n", text)
