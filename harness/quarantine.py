"""Import foreign modules in a child process first, so that one which exits, crashes or never ends takes nothing with it.

What imported well is remembered, as JSON in the cache folder, under the state of its files: listing learners then starts
no child until something was edited or installed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from harness.digest import is_file, locate, stamp
from harness.jit import cache_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LIMIT = 10.0
"""Seconds after which an import counts as one that does not end."""
MOST = 1000
"""Imports that are remembered."""
CHILD = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from harness.quarantine import child; child(sys.argv[2:])"


def failures(places: Iterable[str]) -> dict[str, str]:
    """Those of `places`, modules or paths of files, that do not import, with the reason in words."""
    roots = {place: _root(place) for place in places}
    states = {root: _state(root) for root in set(roots.values())}
    good = _remembered()
    left = [place for place, root in roots.items() if good.get(_key(place)) != states[root]]
    if not left:
        return {}
    found: dict[str, str] = {}
    while left:
        answers = dict(_try(left, LIMIT)) or dict.fromkeys(left, "the process that was to import it did not start")
        found |= answers
        left = [place for place in left if place not in answers]
    _remember(good | {_key(place): states[roots[place]] for place, error in found.items() if not error})
    return {place: error for place, error in found.items() if error}


def child(places: list[str]) -> None:
    """In the child: import one place after the other, and write on the pipe before and after each."""
    from harness.loading import module_of

    out = os.fdopen(int(places.pop(0)), "w")
    os.set_inheritable(out.fileno(), False)  # noqa: FBT003 - has no name
    for place in places:
        print(json.dumps(place), file=out, flush=True)
        try:
            module_of(place)
            error = ""
        except BaseException as raised:  # noqa: BLE001 - whatever it is, it is the answer
            error = f"{type(raised).__name__}: {raised}"
        print(json.dumps([place, error[:1000]]), file=out, flush=True)
    out.flush()
    os._exit(0)  # threads and exit handlers of what was imported are not waited for


def _try(places: list[str], limit: float) -> Iterator[tuple[str, str]]:
    """Import places in one child, up to and with the first that ends it; yield each with its error or an empty string."""
    reading, writing = os.pipe()
    words = [sys.executable, "-c", CHILD, json.dumps(sys.path), str(writing), *places]
    process = subprocess.Popen(
        words, pass_fds=(writing,), start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    current, buffer, deadline, late = "", b"", time.monotonic() + 3 * limit, False
    try:
        while not late:
            late = not select.select([reading], [], [], max(0.0, deadline - time.monotonic()))[0]
            data = b"" if late else os.read(reading, 65536)
            if not data:
                break
            *lines, buffer = (buffer + data).split(b"\n")
            for line in map(json.loads, lines):
                current, deadline = "" if isinstance(line, list) else line, time.monotonic() + limit
                if isinstance(line, list):
                    yield line[0], line[1]
    finally:
        os.close(reading)
        code = None if late else _end(process)
        if code is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if current and code is None:
        yield current, f"the import did not end within {limit:g} s"
    elif current and code is not None:
        ending = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        yield current, f"the import ended the process: {ending}"


def _end(process: subprocess.Popen[bytes]) -> int | None:
    """The exit code of a process that is about to end; None if it does not."""
    try:
        return process.wait(1.0)
    except subprocess.TimeoutExpired:
        return None


# ---------------------------------------------------------------- memory


def _key(place: str) -> str:
    return f"{sys.executable} {place}"


def _root(place: str) -> str:
    """Below which an import may read: the folder of a file, the top-level package of a module."""
    return f"{Path(place).resolve().parent}{os.sep}" if is_file(place) else place.partition(".")[0]


def _state(root: str) -> str:
    """A digest of the sizes and times of the sources below a root."""
    if is_file(root):
        files = list(Path(root).glob("*.py"))
    else:
        path, folders = locate(root)
        files = [file for folder in folders for file in Path(folder).rglob("*.py")] or [path or Path(root)]
    states = sorted(stamp(str(file)) for file in files)
    return hashlib.sha256(repr(states).encode()).hexdigest()[:16]


def _file() -> Path:
    return cache_folder() / "imports.json"


def _remembered() -> dict[str, str]:
    """What imported well, and in which state; nothing where that cannot be read."""
    try:
        known = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(good: dict[str, str]) -> None:
    """Keep what imported well, where there is a place to keep it."""
    while len(good) > MOST:
        del good[next(iter(good))]
    draft = _file().with_suffix(f".{os.getpid()}")
    try:
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(good), encoding="utf-8")
        draft.replace(_file())
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
