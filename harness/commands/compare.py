"""`hebbench compare`: two stores, or two commits, one against the other, as Markdown for a pull request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.commands.running import options
from harness.commands.shared import DONE, FAILED, Decorator, output_option, say, write
from harness.settings import RequestError

if TYPE_CHECKING:
    from harness.commits import Commit
    from reports import ReportData

PRESETS = "smoke", "quick", "full"
PLAN: list[Decorator] = [
    click.option("--preset", type=click.Choice(PRESETS), help="What a commit runs.  [default: quick]"),
    click.option("--learner", multiple=True, metavar="X", help="Name[setting=value,...], module:Class or file.py; repeatable."),
    click.option("--task", multiple=True, metavar="X", help="suite/name; repeatable."),
    click.option("--suite", multiple=True, metavar="X", help="Suite; repeatable."),
    click.option("--seeds", metavar="N", help="10 = replicates 0 to 9; 3,7 = those. Default: the preset's."),
    click.option("--no-controls", is_flag=True, help="Leave the controls out."),
    click.option("--jobs", type=click.IntRange(0), help="Workers; 0 runs without any, for debugging. Default: one a core."),
]  # fmt: skip
"""The options that a commit is run with."""


@click.command()
@click.argument("baseline")
@click.argument("candidate")
@options(PLAN)
@output_option("-")
@click.option("--keep", type=click.Path(path_type=Path), help="Folder for the stores of commits. Default: in the cache folder.")
@click.pass_context
def compare(ctx: click.Context, /, baseline: str, candidate: str, output: Path, keep: Path | None, **plan: Any) -> None:
    """Say what changed from the results of BASELINE to those of CANDIDATE, and whether it fell.

    Each is a store, or a commit of the repository in this folder. A commit is checked out aside and run; its store is kept,
    so that the same comparison once more runs only what is missing. The options of the plan are for commits.
    Exit code: 0 no significant fall; 1 a significant fall, or a new failure; 2 usage; 130 interrupted.
    """
    from reports.compare import CompareError
    from reports.compare import compare as against
    from reports.data import ReportError
    from reports.pullrequest import markdown, verdict

    sides = [_side(baseline), _side(candidate)]
    words = _words(**plan)
    if words and all(isinstance(side, Path) for side in sides):
        raise RequestError(f"{' '.join(words)}: both sides are stores, so nothing is run; give these options with a commit.")
    try:
        made = against(*[_results(side, keep, words) for side in sides])
    except (CompareError, ReportError) as error:
        raise RequestError(str(error)) from None
    write(output, markdown(made))
    if str(output) != "-":
        say(verdict(made))
    ctx.exit(FAILED if made.fell else DONE)


def _side(name: str) -> Path | Commit:
    """The store or the commit that a name stands for."""
    from harness import commits

    path, commit = Path(name), commits.find(name)
    if path.is_file() and commit:
        raise RequestError(
            f"{name!r} is both a file and a revision: write ./{name} for the file, {commit.digest[:12]} for the revision."
        )
    if path.is_file():
        return path
    if commit is None:
        raise RequestError(
            f"{name!r} is neither a store (there is no such file) nor a revision of a git repository in this folder."
        )
    return commit


def _words(preset: str | None, no_controls: bool, **named: Any) -> list[str]:
    """The options of the plan as they were given."""
    words = [preset] if preset else []
    for option, value in named.items():
        for each in value if isinstance(value, tuple) else [value] if value is not None else []:
            words += [f"--{option}", str(each)]
    return [*words, *(["--no-controls"] if no_controls else [])]


def _results(side: Path | Commit, keep: Path | None, words: list[str]) -> ReportData:
    """What a side has: a store as it is; of a commit what the plan asks for, run now if it is not there yet."""
    if isinstance(side, Path):
        return _read(side, side.name)
    from harness import commits
    from harness.jit import cache_folder
    from harness.place import environment, environment_digest

    folder = keep or cache_folder() / "compare"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(f"keep={str(folder)!r} is no folder that can be made: {error.strerror}; choose another.") from None
    store = folder / f"{side.digest}-{environment_digest(environment())}.db"
    say(f"{side.name}: commit {side.digest[:12]}, into {store}")
    commits.run(side, store, words if words and words[0] in PRESETS else [PRESETS[1], *words])
    return _read(store, f"{side.name} ({side.digest[:12]})", planned=True)


def _read(path: Path, name: str, *, planned: bool = False) -> ReportData:
    """The rows of a store; of one that a commit was run into, those of its latest plan, which must all be there."""
    import pandas as pd

    from harness import export
    from harness.store import Store
    from reports.data import ReportData

    with Store(path, create=False) as opened:
        rows = export.latest(opened.rows())
        wanted = set(opened.plans().get("latest", ())) if planned else {row["key"] for row in rows}
    rows = [row for row in rows if row["key"] in wanted]
    if len(rows) < len(wanted) or (planned and not wanted):
        raise RequestError(
            f"{name}: the run ended before its plan, with {len(rows)} of {len(wanted)} trials; its words are above."
        )
    table = export.frame(rows)
    table["fixed"] = [(row["extra"] or {}).get("fixed") for row in rows]
    return ReportData(rows=table, curves=pd.DataFrame(columns=list(export.CURVE_COLUMNS)), store=name)
