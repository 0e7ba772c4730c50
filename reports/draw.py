"""What figures are drawn with: a panel with two axes, and who is drawn how.

matplotlib makes the shapes and writes them as SVG; the page sets the words. All coordinates are points of the SVG, so that a
number drawn can be read back from it.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from reports.looks import GRID, INK, QUIET, Look, Looks
from reports.scales import Axis
from reports.svg import Words, clean, inline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.path import Path
    from numpy.typing import ArrayLike, NDArray

    from reports.board import Board

MOST = 12
"""Labels that a figure of lines shows in colour; of more, LEAD are, and the others are thin and grey."""
LEAD = 8
SMALL, NORMAL = 8.5, 9.0
"""Sizes of words, in points."""
DULL = "≈"
"""Stands behind the name of a task that does not tell the learners apart."""


class Room(NamedTuple):
    """Points between the panel's edge and its axes."""

    left: float = 24
    right: float = 8
    top: float = 7
    bottom: float = 18


class Part(NamedTuple):
    """A label in a figure: how it looks, and whether it is one of those in colour."""

    label: str
    look: Look
    lead: bool

    @property
    def colour(self) -> str:
        """Its own colour, or grey."""
        return self.look.colour if self.lead else QUIET


def cast(board: Board, looks: Looks) -> list[Part]:
    """Who is drawn, those last who shall lie on top: in the order of the ranking, backwards."""
    order = [s.label for s in board.standings if s.label in looks]
    order += [label for label in looks if label not in set(order)]
    lead = set(order if len(order) <= MOST else order[:LEAD])
    return [Part(label, looks[label], label in lead) for label in reversed(order)]


def crowd(parts: Sequence[Part]) -> str:
    """In words, that some are drawn in grey; nothing where none is."""
    grey = sum(not part.lead for part in parts)
    lead = len(parts) - grey
    if not grey:
        return ""
    return f"The first {lead} of the ranking are in colour, the {grey} others thin and grey." if lead else ""


def marked(task: str, name: str, dull: frozenset[str]) -> str:
    """The name of a task or cell, with a sign behind it if the task does not tell the learners apart."""
    return f"{name} {DULL}" if task in dull else name


def spoken(title: str) -> str:
    """A title as a screen reader says it: the sign of a task that does not tell the learners apart in words."""
    return f"{title} ({DULL} does not tell these learners apart)" if DULL in title else title


def sentences(*given: str) -> str:
    """Those that say something, as one text."""
    return " ".join(words for words in given if words)


def cut(name: str, most: int = 30) -> str:
    """A name that fits an axis."""
    name = clean(name)
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"


def width(text: str, size: float) -> float:
    """Points that a text takes up in a page's font, on the safe side."""
    wide = sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.85 if c in "MWmw@%" else 0.6 for c in text)
    return size * wide


class Panel:
    """A drawing in the making: lines in the units of its axes, marks at points. `strip` is kept free below the x axis."""

    def __init__(self, x: Axis, y: Axis, size: tuple[float, float], room: Room | None = None, strip: float = 0) -> None:
        from matplotlib.figure import Figure

        room = room or Room()
        self.x, self.y, self.strip = x, y, strip
        self.width, self.height = size
        self.left, self.right = room.left, self.width - room.right
        self.top, self.bottom = room.top, self.height - room.bottom - strip
        self.words: list[Words] = []
        self._figure = Figure(figsize=(self.width / 72, self.height / 72), dpi=72)
        self._figure.patch.set_visible(False)

    def at(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Points of the SVG, one a row, where some values lie."""
        across = self.left + self.x.share(x) * (self.right - self.left)
        down = self.bottom - self.y.share(y) * (self.bottom - self.top)
        return np.column_stack(np.broadcast_arrays(np.atleast_1d(across), np.atleast_1d(down)))

    def shape(self, points: ArrayLike, codes: ArrayLike | None = None, part: Part | None = None, **style: Any) -> None:
        """A path through points of the SVG; what it belongs to is found by the page."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path
        from matplotlib.transforms import IdentityTransform

        given: dict[str, Any] = {"fill": False, "edgecolor": part.colour if part else QUIET, "lw": 1.0, "clip_on": False} | style
        upright = np.asarray(points, dtype=float) * (1, -1) + (0, self.height)
        gid = f"series-{part.look.number}" if part else None
        path = Path(upright, codes)
        path.should_simplify = False
        self._figure.add_artist(PathPatch(path, transform=IdentityTransform(), gid=gid, **given))

    def line(self, part: Part, x: ArrayLike, y: ArrayLike, **style: Any) -> None:
        """A line in the dashes of the label's family; thin for those that are grey."""
        given = {"lw": 1.5, "ls": part.look.dash} if part.lead else {"lw": 0.6, "ls": part.look.dash, "alpha": 0.55}
        self.shape(self.at(x, y), None, part, **(given | style))

    def step(self, x: Sequence[float], y: Sequence[float], **style: Any) -> None:
        """A line that runs across to each point's place and then up to it."""
        self.shape(self.at(np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]), **style)

    def band(self, part: Part, x: ArrayLike, low: ArrayLike, high: ArrayLike) -> None:
        """What lies between two lines, lightly."""
        ring = np.concatenate([self.at(x, low), self.at(x, high)[::-1]])
        self.shape(ring, None, part, fill=True, facecolor=part.colour, edgecolor="none", alpha=0.16, lw=0)

    def bars(self, part: Part | None, starts: ArrayLike, ends: ArrayLike, **style: Any) -> None:
        """Straight pieces from points to points of the SVG, all as one shape."""
        both = np.stack([np.asarray(starts), np.asarray(ends)], axis=1).reshape(-1, 2)
        self.shape(both, np.tile([1, 2], len(both) // 2), part, **({"lw": 1.1, "alpha": 0.7} | style))

    def marks(self, part: Part, points: ArrayLike, size: float = 5.0, **style: Any) -> None:
        """The label's marker at points of the SVG, all as one shape; a disc is the round end of a line without length."""
        points = np.atleast_2d(np.asarray(points, dtype=float))
        size = size if part.lead else 0.6 * size
        style = {"alpha": 1.0 if part.lead else 0.55} | style
        if part.look.marker == "o":
            self.bars(part, points, points, lw=size, capstyle="round", **style)
            return
        one = marker(part.look.marker)
        outline = np.asarray(one.vertices)
        codes = one.codes if one.codes is not None else [1] + [2] * (len(outline) - 1)
        spots = (points[:, None, :] + size * outline[None]).reshape(-1, 2)
        self.shape(spots, np.tile(codes, len(points)), part, fill=True, facecolor=part.colour, edgecolor="none", lw=0, **style)

    def ring(self, part: Part, point: Sequence[float], size: float = 5.0) -> None:
        """An empty circle about a point of the SVG."""
        outline = marker("o")
        self.shape(point + size * np.asarray(outline.vertices), outline.codes, part, lw=1.3)

    def text(
        self, at: Sequence[float], text: str, align: str = "start", size: float = SMALL, *, turn: float = 0.0,
        part: Part | None = None, quiet: bool = False,
    ) -> None:  # fmt: skip
        """Words at a point of the SVG, in the middle of their height."""
        number, colour = part.look.number if part else None, "var(--soft)" if quiet else "var(--ink)"
        self.words.append(Words(at[0], at[1] + 0.35 * size * (turn == 0), text, align, size, turn, number, colour))

    def frame(self, *, across: bool = True, zero: float | None = 0.0) -> None:
        """Rules at the ticks, the line of chance, the numbers and names of both axes."""
        ends = np.array([self.y.low, self.y.high]), np.array([self.x.low, self.x.high])
        lines = [tick for tick, _ in self.y.ticks] if across else [tick for tick, _ in self.x.ticks]
        for tick in lines:
            points = self.at(ends[1], tick) if across else self.at(tick, ends[0])
            self.shape(points, edgecolor=QUIET if tick == zero else GRID, lw=0.9 if tick == zero else 0.6)
        for tick, name in self.y.ticks:
            self.text((self.left - 5, float(self.at(self.x.low, tick)[0, 1])), name, "end")
        if across:
            base = self.at(ends[1], self.y.low)
            feet = self.at([tick for tick, _ in self.x.ticks], self.y.low)
            self.bars(None, [base[0], *feet], [base[1], *(feet + np.array([0, 3]))], lw=0.7, alpha=1)
        self._below()
        if self.y.words:
            self.text((8, (self.top + self.bottom) / 2), self.y.words, "middle", turn=-90, quiet=True)

    def _below(self) -> None:
        """Numbers and name of the x axis; a number that would touch the one before it is left out."""
        end = -np.inf
        for tick, name in sorted(self.x.ticks, key=lambda found: float(self.x.share(found[0]))):
            middle, half = float(self.at(tick, self.y.low)[0, 0]), width(name, SMALL) / 2
            middle = min(middle, self.width - half - 1)
            if middle - half > end + 2:
                self.text((middle, self.bottom + self.strip + 10), name, "middle")
                end = middle + half
        if self.x.words:
            self.text(((self.left + self.right) / 2, self.height - 6), self.x.words, "middle", quiet=True)

    def svg(self, title: str) -> str:
        """The SVG."""
        return inline(self._figure, spoken(title), self.words)


@functools.cache
def marker(sign: str) -> Path:
    """The outline of a marker, one point wide, upside down as SVG counts."""
    from matplotlib.markers import MarkerStyle
    from matplotlib.path import Path

    found = MarkerStyle(sign)
    path = found.get_path().transformed(found.get_transform())
    return Path(np.asarray(path.vertices) * np.array([1, -1]), path.codes)


def crosses(panel: Panel, points: NDArray[np.float64], size: float = 1.6, part: Part | None = None) -> None:
    """A cross at each point: a trial that failed."""
    if len(points):
        arms = np.array([[size, size], [size, -size]])
        starts, ends = (points[:, None] - arms).reshape(-1, 2), (points[:, None] + arms).reshape(-1, 2)
        panel.bars(part, starts, ends, edgecolor=INK, lw=0.9, alpha=1)
