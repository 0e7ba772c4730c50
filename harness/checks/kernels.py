"""A check of the kernels' text: what the compiler would take, but the contract does not."""

from __future__ import annotations

import ast
import inspect
import textwrap
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import jit
from harness.base import GIVEN
from harness.checks.contract import contract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.checks.material import AnyLearner

ALLOCATES = {
    "arange", "argsort", "array", "asarray", "ascontiguousarray", "astype", "concatenate", "copy", "cumsum", "diag", "einsum",
    "empty", "empty_like", "eye", "flatten", "full", "full_like", "hstack", "identity", "kron", "linspace", "matmul", "ones",
    "ones_like", "outer", "repeat", "sort", "stack", "tile", "unique", "vstack", "where", "zeros", "zeros_like",
}  # fmt: skip
"""Calls, of NumPy or of an array, that make a new array."""
PLAIN = int, float, bool, str, np.generic, type, np.dtype, FunctionType, BuiltinFunctionType, ModuleType, np.ufunc


@contract("arrays")
def check_kernels_are_plain(learner: AnyLearner) -> None:
    """Kernels and their helpers allocate nothing, draw from `noise` alone, and reach nothing that their signature does not name.

    That is no array, list or dict of the module, no closure, no global that they write. `init` may allocate; it draws from `rng`.
    """
    cls = learner if isinstance(learner, type) else type(learner)
    faults: list[str] = []
    for name in GIVEN:
        for function in _reached(getattr(cls, name)):
            faults += [f"{function.__qualname__} {fault}" for fault in _hidden(function)]
            faults += [f"{function.__qualname__} {fault}" for fault in _text(function, allocates=name == "init")]
    if faults:
        raise AssertionError("; ".join(dict.fromkeys(faults)))


def _reached(function: Any) -> Iterator[Any]:
    """A kernel, and every helper that it comes to."""
    todo, seen = [function], set()
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            yield one
            todo += jit.helpers(one).values()


def _hidden(function: Any) -> Iterator[str]:
    """State that a function reaches without naming it as a parameter."""
    if function.__closure__:
        yield f"closes over {', '.join(function.__code__.co_freevars)}: a kernel is a function of its parameters alone"
    if function.__defaults__ or function.__kwdefaults__:
        yield "has parameters with defaults: whatever it names is given"
    for code in _codes(function.__code__):
        for name in code.co_names:
            value = function.__globals__.get(name)
            if name in function.__globals__ and not _plain(value):
                yield f"reaches the module's {name}, a {type(value).__name__} that can change; lay it out in `init`"


def _codes(code: Any) -> Iterator[Any]:
    """A code object and those inside it."""
    yield code
    for constant in code.co_consts:
        if inspect.iscode(constant):
            yield from _codes(constant)


def _plain(value: Any) -> bool:
    """Whether a global is a constant, a function, a class or a module."""
    return all(map(_plain, value)) if isinstance(value, tuple) else value is None or isinstance(value, PLAIN)


def _text(function: Any, *, allocates: bool) -> Iterator[str]:
    """What stands in a function's text and must not."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # typed at a prompt: there is no text
        return
    for node in ast.walk(tree):
        at = f"(its line {getattr(node, 'lineno', 0)})"
        if isinstance(node, ast.Global | ast.Nonlocal):
            yield f"writes the module's {', '.join(node.names)} {at}: all state is in arrays that `init` lays out"
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in ("np.random", "numpy.random"):
            yield f"uses np.random {at}: `init` has `rng`, kernels have `noise` (harness.noise.uniform)"
        elif not allocates:
            yield from _allocation(node, at)


def _allocation(node: ast.AST, at: str) -> Iterator[str]:
    if isinstance(node, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp | ast.GeneratorExp):
        yield f"makes a {type(node).__name__} {at}: a kernel allocates nothing"
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield f"multiplies by @ {at}, which makes a new array: np.dot(A, B, out)"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in ALLOCATES:
            yield f"calls {node.func.attr} {at}, which makes a new array"
        elif node.func.attr == "dot" and len(node.args) < 3 and not node.keywords:
            yield f"calls dot without `out` {at}, which makes a new array"
