"""A figure with its data: what is drawn, and the same as a table."""

from __future__ import annotations

from typing import NamedTuple

Value = str | int | float | None


class Drawing(NamedTuple):
    """One figure of the page.

    name      a word that is unique in the page: prefix of its ids, name of the files that it is saved as
    title     what stands above it and what a screen reader says
    svg       the inline SVG
    columns   names of the columns of its data
    rows      its data, one line a point, bar or square
    about     what the reader must know of this one figure, or ""
    """

    name: str
    title: str
    svg: str
    columns: tuple[str, ...]
    rows: list[tuple[Value, ...]]
    about: str = ""
