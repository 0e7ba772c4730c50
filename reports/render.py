"""The templates, filled: HTML, style and script in one file.

All text that came from outside is escaped by the templates; the one script is allowed by its hash, so that a forgotten
escape could not run either.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from reports.data import FAMILIES
from reports.looks import DARK, LIGHT, MARKERS, shades
from reports.sources import linked
from reports.words import figure, listed, seconds, short

if TYPE_CHECKING:
    from markupsafe import Markup

    from reports.drawing import Value

UNNEEDED = re.compile(r"</t[dhr]>")
"""End tags that HTML lets a page leave out; a large report is a tenth smaller without."""

WIDTH = re.compile(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+)')
SMALLEST, LARGEST = 0.068, 0.1
"""Size of a figure's point in the page, in rem: its words are set in 9 points."""


def render(**parts: Any) -> str:
    """Fill the templates."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FunctionLoader(_source), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "figure": figure, "linked": linked, "short": short, "seconds": seconds, "drawn": drawn, "listed": listed,
        "plain": plain, "share": share, "brief": brief, "probability": probability, "hundredths": hundredths,
        "small": small,
    }  # fmt: skip
    script, style = _source("behaviour.js"), _source("style.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = environment.get_template("page.html").render(
        **parts, script=Markup(script), style=Markup(style), script_hash=digest,  # noqa: S704  our own files
        light=LIGHT, dark=DARK, shades=shades(), families=FAMILIES, marks_drawn=_marks(),
    )  # fmt: skip
    return UNNEEDED.sub("", text)


def drawn(svg: str) -> Markup:
    """An SVG of our own making, neither so small that its words cannot be read nor so large that they shout."""
    from markupsafe import Markup

    size = WIDTH.search(svg)
    wide = float(size[1]) if size else 0.0
    style = f'<svg style="min-width:{SMALLEST * wide:.1f}rem;max-width:{LARGEST * wide:.1f}rem" '
    return Markup(svg.replace("<svg ", style, 1))  # noqa: S704  its words were escaped when it was made


def hundredths(score: float) -> str:
    """A score in hundredths, with a real minus sign."""
    return f"{100 * score:.0f}".replace("-0", "0").replace("-", "\N{MINUS SIGN}")


def plain(value: Value) -> str:
    """A value of a figure's data as a spreadsheet reads it: six digits of a number, nothing for None."""
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def small(value: float | None) -> str:
    """A measured figure in three digits; nothing for None."""
    return "" if value is None else f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def share(value: float | None) -> str:
    """A share in per cent; nothing for None."""
    return "" if value is None else f"{100 * value:.3g} %"


def brief(value: float) -> str:
    """A score in two decimals, with a real minus sign."""
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")


def probability(p: float | None) -> str:
    """A p-value in two digits; nothing for None."""
    return "" if p is None else "< 0.001" if p < 1e-3 else f"{p:.2g}"


def _source(name: str) -> str:
    return importlib.resources.files("reports").joinpath("templates", name).read_text(encoding="utf-8")


def _marks() -> list[str]:
    """The markers as SVG paths in a square of 16."""
    from matplotlib.markers import MarkerStyle

    paths = []
    for name in MARKERS:
        marker = MarkerStyle(name)
        outline = marker.get_path().transformed(marker.get_transform()).to_polygons(closed_only=False)[0]
        points = np.asarray(outline, dtype=float) * (8, -8) + 8
        paths.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z")
    return paths
