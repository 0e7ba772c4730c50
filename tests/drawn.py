"""Reads a figure back: its shapes and words as numbers, and what its ticks say that these numbers mean."""

from __future__ import annotations

import re
from typing import NamedTuple
from xml.etree import ElementTree as ET

import numpy as np

TOKEN = re.compile(r"[A-Za-z]|-?\d+(?:\.\d+)?")
UNITS = {"k": 1e3, "M": 1e6, "G": 1e9}


class Shape(NamedTuple):
    """One path: whose it is, its pieces as arrays of points, and its style."""

    series: int | None
    pieces: list[np.ndarray]
    style: dict[str, str]

    @property
    def points(self) -> np.ndarray:
        return np.concatenate(self.pieces)


class Text(NamedTuple):
    x: float
    y: float
    text: str
    align: str
    size: float
    turn: float

    @property
    def middle(self) -> float:
        return self.y - 0.35 * self.size


class Read(NamedTuple):
    """A figure as it was read."""

    box: tuple[float, ...]
    shapes: list[Shape]
    texts: list[Text]

    def of(self, series: int | None, **style: str) -> list[Shape]:
        """Shapes of one learner that have these styles; `_` for `-`."""
        wanted = {key.replace("_", "-"): value for key, value in style.items()}
        return [s for s in self.shapes if s.series == series and wanted.items() <= s.style.items()]

    def dots(self, series: int) -> np.ndarray:
        """Where the round marks of one learner are."""
        found = [s.points for s in self.of(series, stroke_linecap="round") if all(len(p) == 1 for p in s.pieces)]
        return np.concatenate(found) if found else np.empty((0, 2))

    def whiskers(self, series: int) -> np.ndarray:
        """Straight pieces of one learner between two points: (n, 2, 2)."""
        found = [p for s in self.of(series) for p in s.pieces if len(p) == 2 and "stroke-dasharray" not in s.style]
        return np.array(found).reshape(-1, 2, 2)

    def scale(self, axis: str, *, log: bool = False):
        """What the numbers along an axis say: from a coordinate to a value."""
        if axis == "y":
            ticks = [(t.middle, t.text) for t in self.texts if t.align == "end"]
        else:
            ticks = [(t.x, t.text) for t in self.texts if t.align == "middle" and not t.turn]
        known = [(at, number(text)) for at, text in ticks if number(text) is not None]
        places, values = np.array(known, dtype=float).T
        fit = np.polyfit(places, np.log10(values) if log else values, 1)
        return lambda at: 10 ** np.polyval(fit, at) if log else np.polyval(fit, at)


def number(text: str) -> float | None:
    """The number that a tick shows; None for a name."""
    text = text.replace("−", "-")
    share = 100.0 if text.endswith(" %") else 1.0
    found = re.fullmatch(r"(-?[\d.]+(?:e-?\d+)?)([kMG]?)", text.removesuffix(" %"))
    return float(found[1]) * UNITS.get(found[2], 1.0) / share if found else None


def read(svg: str) -> Read:
    """Take an SVG apart."""
    root = ET.fromstring(svg)
    shapes, texts = [], []
    for element in root:
        style = dict(part.split(":", 1) for part in element.get("style", "").split(";") if part)
        if element.tag.endswith("path"):
            found = re.search(r"s-(\d+)", element.get("class", ""))
            shapes.append(Shape(int(found[1]) if found else None, pieces(element.get("d", "")), style))
        elif element.tag.endswith("text"):
            turn = float((re.search(r"rotate\((\S+)", element.get("transform", "")) or [0, 0])[1])
            align = element.get("text-anchor", "start")
            size = float(style["font-size"].removesuffix("px"))
            texts.append(Text(float(element.get("x")), float(element.get("y")), element.text or "", align, size, turn))
    return Read(tuple(map(float, root.get("viewBox").split())), shapes, texts)


def pieces(path: str) -> list[np.ndarray]:
    """The pieces of a path as points; of a curve its corners and handles."""
    found: list[list[float]] = []
    level = False
    for token in TOKEN.findall(path):
        if token.isalpha():
            level = token == "h"
            if token == "M":
                found.append([])
        elif not level:
            found[-1].append(float(token))
    return [np.array(one).reshape(-1, 2) for one in found]
