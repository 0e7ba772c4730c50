"""From a matplotlib figure to inline SVG: one drawing for light, dark and print.

The drawing's stand-in colours become CSS variables, its ids get a prefix so that figures share a page, its artists of one
learner a class to highlight them by, and its numbers two decimals. Each panel of a grid becomes an SVG of its own, so that
the page can flow them.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree  # of our own drawing, not of anything that came from outside

from reports.looks import VARIABLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SVG, LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
SERIES = re.compile(r"series-(\d+)")
PANEL = re.compile(r"panel-(\d+)")
DECIMALS = re.compile(r"(\d+\.\d\d)\d+")
COLOUR = re.compile("|".join(VARIABLES))
NUMERIC = "d", "x", "y", "transform", "points", "width", "height", "viewBox"


def inline(figure: Figure, name: str, title: str) -> str:
    """The whole figure as one SVG element; `name` prefixes ids, `title` is what a screen reader says."""
    root = _clean(figure, name)
    return _element(root, root.get("viewBox", ""), title, list(root))


def panels(figure: Figure, name: str, titles: list[str]) -> list[str]:
    """Each axes whose gid is `panel-i` as an SVG element, cut out at its share of an even grid of `titles`."""
    root = _clean(figure, name)
    columns, rows = figure.axes[0].get_subplotspec().get_gridspec().ncols, figure.axes[0].get_subplotspec().get_gridspec().nrows
    width, height = (72 * x for x in figure.get_size_inches())
    cut = []
    for group in root.iter(f"{{{SVG}}}g"):
        found = PANEL.fullmatch(group.get("data-panel", ""))
        if found:
            row, column = divmod(int(found[1]), columns)
            box = f"{column * width / columns:g} {row * height / rows:g} {width / columns:g} {height / rows:g}"
            cut.append(_element(root, box, titles[int(found[1])], [group]))
    return cut


def _clean(figure: Figure, name: str) -> ElementTree.Element:
    """The figure's tree without what is not drawn."""
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "text.parse_math": False}):
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = ElementTree.fromstring(out.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{SVG}}}metadata" or (child.get("id") or "").startswith("patch_"):
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
        elif key in NUMERIC:
            element.set(key, DECIMALS.sub(r"\1", value))
        elif key in {"style", "clip-path", "fill", "stroke"}:
            value = COLOUR.sub(lambda m: VARIABLES[m[0]], value.replace("url(#", f"url(#{name}-"))
            value = re.sub(r"font: ([\d.]+)px [^;]*", r"font-size: \1px", value)
            element.set(key, DECIMALS.sub(r"\1", value))


def _element(root: ElementTree.Element, box: str, title: str, parts: list[ElementTree.Element]) -> str:
    """One SVG element with what is defined for all of them, shown through the view box."""
    made = ElementTree.Element(f"{{{SVG}}}svg", {"viewBox": box, "role": "img", "class": "drawn"})
    heading = ElementTree.SubElement(made, f"{{{SVG}}}title")
    heading.text = title
    made.extend(parts)
    ElementTree.register_namespace("", SVG)
    text = ElementTree.tostring(made, encoding="unicode")
    return re.sub(r"\s*\n\s*", "\n", text)
