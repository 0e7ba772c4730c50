"""Colours, markers and dashes: which learner looks how, in light, in dark and in print.

A figure is drawn once, in stand-in colours that no palette holds; in the page they become CSS variables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

INK, GRID, QUIET = "#010203", "#040506", "#070809"
LIGHT = (
    "#0b62a8", "#b4500f", "#1b7a4b", "#b3263a", "#7a4fb5", "#866800", "#b83488", "#0d7783", "#59636f", "#577513",
)  # fmt: skip
DARK = (
    "#6db3f2", "#f2985a", "#5fce93", "#f4788a", "#b79af0", "#dcb84a", "#f08ccb", "#52c7d4", "#a9b3bf", "#a9cf5a",
)  # fmt: skip
STAND_INS = tuple(f"#0a0b{i:02x}" for i in range(len(LIGHT)))
MARKERS = "o", "s", "^", "D", "v", "P", "X", "p", "h", "<", ">"
DASHES = {"biological": "-", "engineered": "--", "control": ":"}
STEPS = 21
"""Shades of the heat map, from chance (0) to ceiling."""

VARIABLES = {INK: "var(--ink)", GRID: "var(--rule)", QUIET: "var(--quiet)"} | {c: f"var(--s{i})" for i, c in enumerate(STAND_INS)}


class Look(NamedTuple):
    """How one label is drawn: its number, stand-in colour, CSS colour, marker and dashes."""

    number: int
    colour: str
    css: str
    marker: str
    dash: str

    @property
    def hue(self) -> int:
        """The number of its colour."""
        return self.number % len(STAND_INS)


Looks = dict[str, Look]


def looks(labels: Iterable[str], families: Mapping[str, str]) -> Looks:
    """A look for each label; colour and marker together repeat after 110 labels, colours alone after ten."""
    found = {}
    for i, label in enumerate(labels):
        j = i % len(STAND_INS)
        found[label] = Look(i, STAND_INS[j], f"var(--s{j})", MARKERS[i % len(MARKERS)], DASHES[families[label]])
    return found


def shades() -> dict[str, list[tuple[str, str]]]:
    """Background and text of each step of the heat map, by theme; the text is whichever of two reads better."""
    import seaborn as sns

    ramps = {"light": ("#f1efe8", "#9cc9c0", "#2f7f86", "#0d3b4f"), "dark": ("#23282e", "#1f5560", "#3f9f9b", "#b5ecd8")}
    return {theme: [(c, _readable(c)) for c in sns.blend_palette(ramp, STEPS).as_hex()] for theme, ramp in ramps.items()}


def _readable(background: str) -> str:
    """Black or white, whichever has the greater contrast."""
    light = _luminance(background)
    return "#000000" if (light + 0.05) / 0.05 > 1.05 / (light + 0.05) else "#ffffff"


def _luminance(colour: str) -> float:
    """Relative luminance by WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
