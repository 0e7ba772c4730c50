"""Which code a learner or a task runs on, definition by definition, and a digest of it.

`parts` starts at one class or task and follows every name it uses: helpers of helpers, bases, decorators, defaults and
imports, also those inside functions, as far as they stay in this project, in the plug-in's own distribution or, for a
loose file, in its folder. Nothing is imported or run; the source is read. Comments, layout, docstrings and the
annotations of functions do not count. Where reading cannot decide, a whole module is taken: too many stale results
cost time, too few cost the truth. Builtins, the standard library and other packages belong to the environment's digest.
"""

from __future__ import annotations

import hashlib
import os
import sys
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.reading import Module, Part, read

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = "harness", "learners", "suites"
ASIDE = frozenset(f"harness.{name}" for name in ("digest", "reading", "registry", "loading", "quarantine", "settings", "listing"))
"""Modules that find and describe code and compute no number: what they do changes no result."""
GROUPS = "hebbench.learners", "hebbench.tasks"

Stamp = tuple[str, int, int]


class _Kept(NamedTuple):
    """The parts of one root, and the state of the files they were read from."""

    parts: dict[str, str]
    stamps: tuple[Stamp, ...]


_kept: dict[tuple[str, str, tuple[str, ...]], _Kept] = {}


def digest(*wheres: str) -> str:
    """Sixteen hex digits that change when any code changes that one of `wheres` runs on."""
    every = sorted({item for where in wheres for item in parts(where).items()})
    return hashlib.sha256(repr(every).encode()).hexdigest()[:16]


def parts(where: str) -> dict[str, str]:
    """Every definition that `where` reaches, as `module:name`, with the digest of its normal form.

    `where` is `package.module:Name` or `path/to/file.py:Name`, or gives the name of a task: `package.tasks:suite/name`.
    Without a name, or with one that the module does not define, it is the whole module. Raises ValueError where there
    is no source of the module.
    """
    here = where, str(Path.cwd()), tuple(sys.path)
    kept = _kept.get(here)
    if kept is None or any(stamp(path) != (path, *rest) for path, *rest in kept.stamps):
        walk = _Walk(where)
        kept = _kept[here] = _Kept(walk.run(), tuple(sorted(stamp(str(path)) for path in walk.paths())))
    return dict(kept.parts)


def changed(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """What differs between two results of `parts`, in words: `learners.kernels:dot changed`, `... added`, `... removed`."""
    lines = []
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            lines.append(f"{name} removed")
        elif name not in old:
            lines.append(f"{name} added")
        elif old[name] != new[name]:
            lines.append(f"{name} changed")
    return lines


def split(where: str) -> tuple[str, str]:
    """`where` as (module or path, name); the name may be empty."""
    place, colon, name = where.rpartition(":")
    return (place, name) if colon else (where, "")


def is_file(place: str) -> bool:
    """Whether the first half of a `where` is a path rather than the name of a module."""
    return place.endswith(".py") or os.sep in place


def locate(module: str) -> tuple[Path | None, list[str]]:
    """The file of a module and, of a package, the folders of its modules. Imports nothing, not even parents."""
    path: list[str] | None = None
    origin, name = None, ""
    for word in module.split("."):
        name = f"{name}.{word}" if name else word
        spec = next((s for f in sys.meta_path if hasattr(f, "find_spec") and (s := f.find_spec(name, path))), None)
        if spec is None:
            return None, []
        path = list(spec.submodule_search_locations or [])
        origin = Path(spec.origin) if spec.has_location and spec.origin else None
    return origin, path or []


def stamp(path: str) -> Stamp:
    """Something that changes when a file is written."""
    try:
        state = Path(path).stat()
    except OSError:
        return path, -1, -1
    return path, state.st_mtime_ns, state.st_size


@lru_cache(maxsize=4096)
def _read(stamp: Stamp, package: str) -> Module:
    """A module as it stood at `stamp`."""
    return read(Path(stamp[0]).read_bytes(), package, python=stamp[0].endswith(".py"))


def _tops(top: str) -> set[str]:
    """The top-level modules of the distribution that brings `top` as a plug-in; `top` alone where none does."""
    for group in GROUPS:
        for entry in metadata.entry_points(group=group):
            if entry.module.partition(".")[0] == top and entry.dist is not None:
                files = entry.dist.files or []
                return {top} | {file.parts[0].removesuffix(".py") for file in files if file.suffix == ".py"}
    return {top}


class _Walk:
    """One walk over the definitions that a root reaches."""

    def __init__(self, where: str) -> None:
        place, name = split(where)
        module = sys.modules.get(place)
        if not is_file(place) and locate(place)[0] is None and getattr(module, "__file__", None):
            place = str(module.__file__)  # type: ignore[union-attr]  # a loose file that was loaded, or a script
        self.file = Path(place).resolve() if is_file(place) else None
        self.start = (self.file.stem if self.file else place), name
        top = self.start[0].partition(".")[0]
        self.tops = {*PROJECT} if self.file or top in PROJECT else {*PROJECT, *_tops(top)}
        self.found: dict[str, str] = {}
        self.modules: dict[str, Module | None] = {}
        self.files: dict[str, Path] = {}
        self.seen: set[tuple[str, str]] = set()
        self.todo: list[tuple[str, str]] = []
        if self.module(self.start[0]) is None:
            msg = f"where={where!r}: there is no source of {place!r} to read; give package.module:Name or path/to/file.py:Name."
            raise ValueError(msg)

    def paths(self) -> Iterator[Path]:
        """The files that were read."""
        yield from self.files.values()

    def run(self) -> dict[str, str]:
        """Follow every name from the root."""
        place, name = self.start
        module = self.modules[place]
        entry = module.entries.get(name, module.entries.get("")) if module and "/" in name else None
        if entry:
            self.todo.append((place, ""))
            self.note(place, name, entry)
        else:
            self.reach(place, (name.partition(".")[0],) if name else ())
        while self.todo:
            self.take(*self.todo.pop())
        return dict(sorted(self.found.items()))

    def own(self, name: str) -> Path | None:
        """The file of a module that counts as our own code, or None."""
        top, _, rest = name.partition(".")
        if top in self.tops:
            return locate(name)[0]
        if self.file is None or top in sys.stdlib_module_names:
            return None
        if name == self.file.stem:
            return self.file
        stem = self.file.parent.joinpath(top, *rest.split(".")) if rest else self.file.parent / top
        return next((p for p in (stem / "__init__.py", stem.with_name(stem.name + ".py")) if p.is_file()), None)

    def module(self, name: str) -> Module | None:
        """The definitions of a module of our own, or None."""
        if name not in self.modules:
            path = None if name in ASIDE else self.own(name)
            if path is None or not path.is_file():
                self.modules[name] = None
            else:
                package = name if path.name == "__init__.py" else name.rpartition(".")[0]
                self.files[name] = path
                self.modules[name] = _read(stamp(str(path)), package)
        return self.modules[name]

    def reach(self, name: str, attributes: tuple[str, ...]) -> None:
        """Note that `name.attribute...` is used; `name` is a module, or empty for the folder of a loose file."""
        while not name and attributes:
            name, attributes = attributes[0], attributes[1:]
        module = self.module(name)
        if module is None:
            if attributes and name and name.partition(".")[0] in self.tops and locate(name)[1]:  # a folder without __init__
                self.reach(f"{name}.{attributes[0]}", attributes[1:])
            return
        self.todo.append((name, ""))
        below = f"{name}.{attributes[0]}" if attributes else ""
        known = attributes and (attributes[0] in module.definitions or attributes[0] in module.imports)
        if known:
            self.follow(name, attributes)
        if below and module.package == name and self.module(below) is not None:
            self.reach(below, attributes[1:])
        elif not known:
            self.todo += [(name, each) for each in module.definitions]
            for each in module.imports:
                self.follow(name, (each,))

    def follow(self, name: str, chain: tuple[str, ...]) -> None:
        """Resolve a dotted name as it is used in a module."""
        module = self.module(name)
        if module is None:
            return
        first, rest = chain[0], chain[1:]
        if first in module.definitions:
            self.todo.append((name, first))
        for base, attributes in module.imports.get(first, ()):
            self.reach(base, (*attributes, *rest))

    def take(self, name: str, definition: str) -> None:
        """Enter one definition, or with an empty name what a module does when it is imported, and note what it uses."""
        module = self.modules[name]
        if module is None or (name, definition) in self.seen:
            return
        self.seen.add((name, definition))
        if not definition:
            self.imported(name, module)
        part = module.definitions.get(definition) if definition else module.effects
        if part is not None:
            self.note(name, definition or "<module>", part)

    def note(self, name: str, definition: str, part: Part) -> None:
        """Take in one definition of a module, and follow what it uses."""
        self.found[f"{name}:{definition}"] = part.sha
        for chain in part.names:
            self.follow(name, chain)
        for base, attributes in part.targets:
            self.reach(base, attributes)
        for each in part.loads:
            self.touch(each)
        if part.dynamic and not name.startswith("harness."):
            self.reach(name, ())

    def imported(self, name: str, module: Module) -> None:
        """What importing a module brings about: its parents, the modules it imports, and all of `from x import *`."""
        if "." in name:
            self.touch(name.rpartition(".")[0])
        for each in module.loads:
            self.touch(each)
        for each in module.stars:
            self.reach(each, ())

    def touch(self, name: str) -> None:
        """Note that a module is imported, whether or not any of it is used."""
        if self.module(name) is not None:
            self.todo.append((name, ""))
