"""From a matplotlib figure to inline SVG: one drawing for light, dark and print.

A figure gives its shapes alone. Its stand-in colours become CSS variables, its artists of one learner a class to highlight
them by, its numbers one decimal. Words are set by the browser in the font of the page: matplotlib neither measures nor
draws them, which is slow and needs a font that holds every sign.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

from reports.looks import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
SERIES = re.compile(r"series-(\d+)")
DECIMALS = re.compile(r"-?\d+\.\d+")
COMMAND = re.compile(r"\s*([A-Za-z])\s*")
POINT = re.compile(r"M([-\d.]+ [-\d.]+)L\1(?![\d.])")
COLOUR = re.compile("|".join(VARIABLES))
IDLE = re.compile(r"\s*(fill: none|stroke-dashoffset: 0|stroke-miterlimit: \d+|stroke-linejoin: \w+)(;|$)")
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold."""


class Words(NamedTuple):
    """A text in a figure: where, how it is aligned (start, middle, end), its size in points, and whose it is."""

    x: float
    y: float
    text: str
    align: str
    size: float
    turn: float = 0.0
    series: int | None = None
    colour: str = "var(--ink)"


def clean(text: str) -> str:
    """The text on one line, without what XML cannot hold."""
    return FORBIDDEN.sub("\ufffd", " ".join(text.split()))


def inline(figure: Figure, title: str, words: Iterable[Words]) -> str:
    """The figure as one SVG element; the title is what a screen reader says."""
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "hebbench"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = ET.fromstring(out.getvalue())  # noqa: S314  matplotlib has just written it
    box = " ".join(_short(x) for x in (root.get("viewBox") or "").split())
    made = ET.Element(f"{{{SVG}}}svg", {"viewBox": box, "role": "img", "class": "drawn", "fill": "none"})
    ET.SubElement(made, f"{{{SVG}}}title").text = clean(title)
    for group in root.iter(f"{{{SVG}}}g"):
        for path in group.findall(f"{{{SVG}}}path"):
            made.append(_shape(path, group.get("id") or ""))
    made.extend(map(_text, words))
    ET.register_namespace("", SVG)
    return ET.tostring(made, encoding="unicode")


def _shape(path: ET.Element, name: str) -> ET.Element:
    """A path with what it needs."""
    line = COMMAND.sub(r"\1", DECIMALS.sub(lambda m: _short(m[0]), path.get("d", "")))
    style = COLOUR.sub(lambda m: VARIABLES[m[0]], IDLE.sub("", path.get("style", "")).strip().rstrip(";"))
    given = {"d": POINT.sub(r"M\1h0", line), "style": style.replace(": ", ":").replace("; ", ";")}
    return ET.Element(f"{{{SVG}}}path", _series(SERIES.fullmatch(name)) | given)


def _series(found: re.Match[str] | None) -> dict[str, str]:
    return {"class": f"series s-{found[1]}"} if found else {}


def _text(words: Words) -> ET.Element:
    """A text; the colour is a CSS variable, so it stands in the style."""
    given = {"class": f"series s-{words.series}"} if words.series is not None else {}
    given |= {"x": _short(words.x), "y": _short(words.y), "style": f"font-size:{words.size:g}px;fill:{words.colour}"}
    if words.align != "start":
        given["text-anchor"] = words.align
    if words.turn:
        given["transform"] = f"rotate({words.turn:g} {_short(words.x)} {_short(words.y)})"
    made = ET.Element(f"{{{SVG}}}text", given)
    made.text = clean(words.text)
    return made


def _short(number: str | float) -> str:
    """A number with one decimal, or none; no minus zero."""
    return f"{round(float(number), 1) + 0.0:g}" if abs(float(number)) < 1e5 else f"{float(number):.0f}"
