"""Load modules by name or by file, and from them the learner or task that a `where` names, in whatever process.

A loose file becomes a module of its own whose name is made from its path and text, the same in every process. Its
siblings can be imported as `from .helper import f`, which is always right, or as `import helper`, which is refused where
it would find something else.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import importlib.machinery
import importlib.util
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.digest import PROJECT, is_file, locate, split
from harness.settings import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, ModuleType


def load(where: str) -> Any:
    """The class of a learner, or the Task, that `package.module:Name`, `/path/file.py:Name` or `module:suite/task` names."""
    place, name = split(where)
    module = module_of(place)
    for task in getattr(module, "TASKS", ()):
        if getattr(task, "name", None) == name:
            return task
    if not name or not hasattr(module, name):
        msg = f"where={where!r}: {place} has no {name!r}; give package.module:Name or path/to/file.py:Name."
        raise RequestError(msg)
    return getattr(module, name)


def module_of(place: str) -> ModuleType:
    """The module of this name, or of this file. What it prints while it is imported goes to stderr."""
    with contextlib.redirect_stdout(sys.stderr):
        return _from_file(Path(place).resolve()) if is_file(place) else importlib.import_module(place)


class _Fresh(importlib.machinery.SourceFileLoader):
    """Compiles the file as it is now: byte code on disk may be that of an edit of the same second and the same size."""

    def get_code(self, fullname: str) -> CodeType:
        """The code of the text itself."""
        return self.source_to_code(self.get_data(self.get_filename(fullname)), self.path)


def _from_file(file: Path) -> ModuleType:
    source = file.read_bytes()
    mark = hashlib.sha256(str(file).encode() + b"\0" + source).hexdigest()[:12]
    stem = re.sub(r"\W", "_", file.stem)
    name = f"hebbench_file_{stem}_{mark}"
    if name in sys.modules:
        return sys.modules[name]
    folder = str(file.parent)
    loader = _Fresh(name, str(file))
    spec = importlib.util.spec_from_file_location(name, file, loader=loader, submodule_search_locations=[folder])
    if spec is None or spec.loader is None:
        msg = f"{file} cannot be loaded as Python; give a file that ends in .py."
        raise ImportError(msg, path=str(file))
    if folder not in sys.path:
        sys.path.append(folder)  # behind all others: a sibling must not hide a library
    for sibling in _siblings(file, {file}):
        _refuse_other(sibling, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _siblings(file: Path, seen: set[Path]) -> Iterator[Path]:
    """The files beside this one that it imports by their plain names, and those that they import."""
    try:
        tree = ast.parse(file.read_bytes())
    except SyntaxError:
        return  # the import itself will say so
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        else:
            continue
        for top in {name.partition(".")[0] for name in names} - {*PROJECT, "reports", *sys.stdlib_module_names}:
            for path in file.parent / top / "__init__.py", file.parent / f"{top}.py":
                if path.is_file() and path not in seen:
                    seen.add(path)
                    yield path
                    yield from _siblings(path, seen) if path.name != "__init__.py" else ()


def _refuse_other(sibling: Path, file: Path) -> None:
    """Raise ImportError if a plain import of a sibling would find another module of that name."""
    name = sibling.parent.name if sibling.name == "__init__.py" else sibling.stem
    loaded = getattr(sys.modules.get(name), "__file__", None)
    found = Path(loaded) if loaded else locate(name)[0]
    if found is None or found.resolve() != sibling.resolve():
        msg = f"`import {name}` in {file.name} would find {found}, not {sibling}; write `from .{name} import ...` or rename it."
        raise ImportError(msg, name=name, path=str(file))
