"""Results of a commit: its tree is checked out aside, and run by this interpreter into a store that is kept.

Names of revisions reach git alone; files are named by the digest of the commit.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.settings import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_AMBIENT = "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"
"""What a hook of git tells its children: it would bend our commands to another folder."""


class Commit(NamedTuple):
    """A commit of a repository: its digest, how it was asked for, and the top folder of the work tree."""

    digest: str
    name: str
    top: Path


def find(name: str) -> Commit | None:
    """The commit that a name stands for in the repository of this folder; None where there is none."""
    digest = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    top = _git("rev-parse", "--show-toplevel")
    return Commit(digest, name, Path(top)) if digest and top else None


def run(commit: Commit, store: Path, words: Sequence[str]) -> None:
    """Run `hebbench run` with these words in the tree of a commit, into a store; its progress goes to stderr.

    Raises RequestError where the run did not come to its end, and KeyboardInterrupt where it was interrupted.
    """
    with checked_out(commit) as tree:
        here = tree / Path.cwd().resolve().relative_to(commit.top.resolve())
        command = [sys.executable, "-m", "harness", "run", *words, "--store", str(store.resolve())]
        code = _attended(command, here if here.is_dir() else tree, _environment(commit.top, tree))
    if code == 130:
        raise KeyboardInterrupt
    if code not in {0, 1}:
        raise RequestError(f"the run of {commit.name!r} ({commit.digest[:12]}) ended with code {code}; its words are above.")


@contextlib.contextmanager
def checked_out(commit: Commit) -> Iterator[Path]:
    """The tree of a commit in a folder that is gone afterwards, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="hebbench-"))
    tree = folder / commit.digest[:12]
    try:
        add = "-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach", str(tree), commit.digest
        done = subprocess.run(["git", *add], cwd=commit.top, env=_ours(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RequestError(f"{commit.name!r} cannot be checked out: {done.stderr.strip()}")
        yield tree
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _git("worktree", "prune", cwd=commit.top)


def _attended(command: Sequence[str], folder: Path, environment: dict[str, str]) -> int:
    """Run a command to its end; an interruption is passed on, and waited for."""

    def stop(number: int, frame: Any) -> None:  # noqa: ARG001 - the signature of a handler
        process.send_signal(signal.SIGTERM)  # a terminal tells of Ctrl-C to both of us; this comes to us alone
        raise KeyboardInterrupt

    with subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno()) as process:
        before = signal.signal(signal.SIGTERM, stop)
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise
        finally:
            signal.signal(signal.SIGTERM, before)


def _environment(top: Path, tree: Path) -> dict[str, str]:
    """Our environment with the tree first on the path, and wherever the work tree was on it, the same place in the tree."""
    mapped = []
    for place in map(Path, filter(None, sys.path)):
        with contextlib.suppress(ValueError):
            mapped.append(tree / place.resolve().relative_to(top.resolve()))
    others = [place for place in sys.path if place and not Path(place).resolve().is_relative_to(top.resolve())]
    given = [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place in others]
    path = dict.fromkeys(map(str, [tree, *mapped, *given]))
    return _ours() | {"PYTHONPATH": os.pathsep.join(path), "PYTHONDONTWRITEBYTECODE": "1"}


def _ours() -> dict[str, str]:
    """Our environment, without what a hook of git tells."""
    return {name: value for name, value in os.environ.items() if name not in _AMBIENT}


def _git(*words: str, cwd: Path | None = None) -> str:
    """What git says to these words; empty where it fails, or where there is no git."""
    try:
        done = subprocess.run(["git", *words], cwd=cwd, env=_ours(), capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return "" if done.returncode else done.stdout.strip()
