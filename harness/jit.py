"""How kernels are compiled, and where their machine code is kept.

A kernel is a plain Python function; `@kernel` only marks the helpers that other kernels call. `compiled` gives the machine
code: it copies the function with globals in which every marked helper is the compiled one, so that the function itself
stays plain and its Python form, the reference, runs the same text. Nothing is compiled at import, and listing learners
never imports numba.

numba files code on disk under file, line, `__qualname__` and bytecode. It sees neither globals, nor edits in a callee,
nor compiler flags, so each function has a folder of its own, named by the digest of all the code that it reaches.
"""

from __future__ import annotations

import dis
import fcntl
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

from harness.digest import digest

Kernel = Any
"""A plain function, or what numba made of it: no type says more."""

FAST = frozenset({"reassoc", "contract", "arcp", "nsz", "afn"})
"""What float32 code may do to a sum. NaN and infinity keep their meaning: `nnan` and `ninf` are left out."""


def kernel(function: Kernel) -> Kernel:
    """Mark a helper that kernels call."""
    function.__kernel__ = True
    return function


def lean(function: Kernel) -> Kernel:
    """Mark a loop or kernel that makes no array, and no view but by slices: numba then counts none of its references.

    It counts them atomically, and in a long function cannot leave them out by itself: half the time of a small rule.
    """
    function.__lean__ = True
    return function


def cache_folder() -> Path:
    """Where machine code is kept: `HEBBENCH_CACHE`, or the user's cache folder; where neither can be written, a passing one."""
    base = os.environ.get("HEBBENCH_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hebbench"
    return _writable(Path(base))


@cache
def _writable(folder: Path) -> Path:
    """The folder, made if need be; or one of this process alone, which nobody else can have put code into."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="hebbench-"))


def where(function: Kernel) -> str:
    """The definition a function comes from, as `harness.digest` names it."""
    module = sys.modules.get(function.__module__)
    if function.__module__.startswith("hebbench_file_") and module is not None:
        return f"{module.__file__}:{function.__qualname__}"
    return f"{function.__module__}:{function.__qualname__}"


def rebound(function: Kernel, names: dict[str, Any], qualname: str) -> Kernel:
    """A copy of a plain function for which some global names mean something else."""
    copy = FunctionType(function.__code__, function.__globals__ | names, function.__name__, function.__defaults__)
    copy.__qualname__ = qualname
    copy.__module__ = function.__module__
    copy.__doc__ = function.__doc__
    copy.__dict__.update(function.__dict__)
    return copy


@cache
def compiled(function: Kernel, *, exact: bool, helper: bool = False) -> Kernel:
    """The compiled form of a kernel. Every numba option of the project is chosen here, and nowhere else.

    exact   no re-ordered sums: float64, audits and anchors
    helper  only compiled code calls it, so that it needs no door from Python
    """
    names = {name: compiled(each, exact=exact, helper=True) for name, each in helpers(function).items()}
    return _njit(rebound(function, names, function.__qualname__), sources(function), exact=exact, helper=helper)


def sources(function: Kernel) -> list[str]:
    """The definitions that the machine code of a function depends on.

    `harness.digest` follows those that its text names; a rebound copy may call others.
    """
    return sorted({where(function), *(name for each in helpers(function).values() for name in sources(each))})


def helpers(function: Kernel) -> dict[str, Kernel]:
    """The marked helpers that a function names."""
    names = {i.argval for i in dis.get_instructions(function) if i.opname == "LOAD_GLOBAL"}
    found = {name: function.__globals__.get(name) for name in sorted(names)}
    return {name: value for name, value in found.items() if getattr(value, "__kernel__", False)}


def bound(
    loop: Kernel, name: str, kernels: dict[str, Kernel], flags: dict[str, bool], exact: bool, *, compile_loop: bool
) -> Kernel:
    """The harness's loop with a learner's kernels in place of its own: compiled around them, or plain Python that calls them.

    A compiled loop has a `__qualname__` of its own: numba does not look at globals, and one learner would otherwise run
    the loop of another.
    """
    every = helpers(loop) | kernels
    inner: dict[str, Any] = flags | {k: compiled(f, exact=exact, helper=compile_loop) for k, f in every.items()}
    if not compile_loop:
        return rebound(loop, inner, name)
    depends = sorted({name for f in (loop, *kernels.values()) for name in sources(f)})
    return _njit(rebound(loop, inner, name), depends, exact=exact, helper=False)


def _njit(function: Kernel, sources: list[str], *, exact: bool, helper: bool) -> Kernel:
    os.environ.setdefault("NUMBA_OPT", "2")  # a third less to wait for the compiler; no kernel here runs slower by it
    import numba

    config: Any = numba.config
    config.reload_config()  # imported earlier, it would take up that variable in the middle of the work
    options: dict[str, Any] = dict(error_model="numpy", nogil=True, fastmath=False if exact else set(FAST), boundscheck=None)
    options |= dict(_nrt=not hasattr(function, "__lean__"))
    if helper:
        options |= dict(forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
    try:
        form = f"numba-{numba.__version__}-{config.OPT}{'-exact' * exact}{'-inner' * helper}"
        folder = cache_folder() / form / digest(*sources)
    except (OSError, ValueError):  # typed at a prompt: there is no file to keep machine code beside
        return numba.njit(function, **options)
    before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
    try:
        return numba.njit(function, cache=True, **options)
    finally:
        config.CACHE_DIR = before


class Clock:
    """Seconds spent compiling in this process, kept apart from all other time."""

    seconds = 0.0


@contextmanager
def alone() -> Iterator[None]:
    """One process compiles at a time; those that waited find the code on disk."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)  # it may have been cleaned away
    start = time.perf_counter()
    with (folder / "compiling").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            Clock.seconds += time.perf_counter() - start


def prepare(function: Kernel, arguments: tuple[Any, ...]) -> None:
    """Compile a function for the types of these arguments, or load it, without running it."""
    import numba

    if hasattr(function, "signatures"):
        typeof: Any = numba.typeof
        signature = tuple(typeof(a) for a in arguments)
        if signature not in function.overloads:
            function.compile(signature)
