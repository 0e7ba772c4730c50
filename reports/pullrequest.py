"""A comparison as Markdown for a pull request: the verdict first, short tables, and the rest folded away.

Names and reasons come from plug-ins and stores: they stand in code spans alone, in which nothing is markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.compare import Change, Comparison, Failure, Place

SHOWN = 20
"""Lines of a list that are open to view."""
FOLDED = 200
"""Further lines that are kept, folded; a comment on a pull request has room for about 65,000 characters."""
LENGTH = 160
"""Signs of a name or reason that are shown."""
ABOUT = (
    "Scores are chance-corrected: 0 is chance, 1 the best possible. Intervals are of 95 %; p is corrected for the number of lines"
    " by Holm; a significant fall stands first, in bold."
)
_SWAP = str.maketrans({"`": "'", "|": "¦"})


def markdown(made: Comparison) -> str:
    """The comparison, as Markdown that ends in a line break."""
    before, after = map(code, made.names)
    parts = [
        verdict(made),
        f"Baseline {before}, candidate {after}. {ABOUT}",
        *_section("New failures", [_failure(f) for f in made.failures]),
        *_section("Learners, over all tasks that both have", [_change(c) for c in made.learners], _head("tasks × seeds")),
        *_section("Cells that changed", [_change(c, cell=True) for c in made.cells], _head("seeds", "cell")),
        *_seeds(made),
        *_floor(made),
        *_section("Not compared", [f"* {a.why} ({len(a.names)}): {_some(a.names)}" for a in made.apart]),
    ]
    return "\n\n".join(parts) + "\n"


def verdict(made: Comparison) -> str:
    """The comparison in one line."""
    total = made.unchanged + len(made.cells)
    changed = f"{len(made.cells)} of {_counted(total, 'cell')} changed"
    if not made.fell:
        few = " Some of what changed has too few seeds to be told from chance." if _blunt(made) else ""
        return f"**No significant fall**: {changed}.{few}"
    words = [f"{_some([c.label for c in made.learners if c.fell])} over all tasks"] if any(c.fell for c in made.learners) else []
    if fallen := sum(c.fell for c in made.cells):
        words.append(_counted(fallen, "cell"))
    if made.failures:
        words.append(_counted(len(made.failures), "new failure"))
    return f"**Significant fall**: {', '.join(words)}; {changed}."


def code(text: object) -> str:
    """Untrusted text as a code span: of one line, cut to length, without the signs that end a span or a cell of a table."""
    line = "".join(sign if sign.isprintable() else " " for sign in str(text)).translate(_SWAP).strip()
    return f"`{line if len(line) <= LENGTH else line[: LENGTH - 1] + '…'}`" if line else "–"


def _section(title: str, lines: Sequence[str], head: str = "") -> list[str]:
    """A heading and its lines: the first ones open, the next ones folded, the others counted."""
    if not lines:
        return []
    made = [f"### {title}", "\n".join([*head.splitlines(), *lines[:SHOWN]])]
    if rest := lines[SHOWN:]:
        more = f"\n\nand {len(rest) - FOLDED} more" if len(rest) > FOLDED else ""
        table = "\n".join([*head.splitlines(), *rest[:FOLDED]])
        made.append(f"<details><summary>{len(rest)} more</summary>\n\n{table}{more}\n\n</details>")
    return made


def _head(unit: str, *further: str) -> str:
    columns = "learner", *further, "before", "after", "difference", unit, "p", *(["other seeds"] if further else [])
    return f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"


def _change(change: Change, *, cell: bool = False) -> str:
    """One line of a table."""
    low_high = "[–]" if change.interval is None else "[{:+.3f}, {:+.3f}]".format(*change.interval)
    difference = f"{change.difference:+.3f} {low_high}"
    columns = [
        code(_named(change)), *([code(change.cell)] if cell else []), f"{change.before:.3f}", f"{change.after:.3f}",
        f"**{difference}**" if change.fell else difference, str(change.n), f"{change.p:.2g}",
        *(["–" if change.spread is None else f"± {change.spread:.3f}"] if cell else []),
    ]  # fmt: skip
    return f"| {' | '.join(columns)} |"


def _failure(failure: Failure) -> str:
    where = f"{code(_named(failure.place))} on {code(failure.place.cell)}, seed {failure.replicate}"
    return f"* {where}: {failure.outcome}: {code(failure.reason)}"


def _named(what: Change | Place) -> str:
    return what.label if what.arm == "default" else f"{what.label} ({what.arm})"


def _blunt(made: Comparison) -> list[Change]:
    """The changes that no difference, however large, could make significant."""
    return [change for change in (*made.cells, *made.learners) if change.seeds < change.least]


def _seeds(made: Comparison) -> list[str]:
    """How many seeds it would take, where there are too few."""
    said = []
    for changes, what in (made.learners, "learner"), (made.cells, "cell"):
        if blunt := [c for c in changes if c.seeds < c.least]:
            have, want = max(c.seeds for c in blunt), min(c.least for c in blunt)
            said.append(
                f"With {_counted(have, 'seed')}, no change of {_counted(len(blunt), what)} can be significant, however large;"
                f" it takes at least {_counted(want, 'seed')}."
            )
    return said


def _floor(made: Comparison) -> list[str]:
    """How loud nothing is."""
    floor = made.floor
    same = "No trial ran on the same code in both, so the noise of a repetition is not known."
    if floor.trials:
        same = (
            f"{_counted(floor.trials, 'trial')} ran on the same code in both; {floor.moved or 'none'} of them"
            f" differ{'s' * (floor.moved < 2)}: the largest difference is {floor.largest:.3g}, the median {floor.median:.3g}."
        )
    spread = "Each cell of the baseline has one seed, so its spread is not known."
    if floor.cells:
        spread = (
            f"Other seeds alone would move a cell by up to {floor.spread:.3f} in the median, and {floor.widest:.3f}"
            f" in the noisiest of {_counted(floor.cells, 'cell')} (95 %)."
        )
    mended = [f"{_counted(made.mended, 'trial')} that failed before gave a result."] if made.mended else []
    return ["### Noise floor", " ".join([same, spread, *mended])]


def _some(names: Sequence[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(code, names[:most])) + more


def _counted(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'s' * (n != 1)}"
