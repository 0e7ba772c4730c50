"""Wrong rules, and the test that finds each: `python -m tests.mutants` prints learner, mutant and killing test.

A mutant is one edit of the syntax tree of one kernel: a sign, an index, a factor that is dropped, a constant or a change
that is halved. It takes the place of the kernel's code, and the known answers of its learner are asked, as Python, until one
is wrong. Exit code 1 if all are right about some mutant. Nothing is compiled meanwhile: machine code of a wrong rule must not
end up in anyone's cache.

A test file takes part by two names: KNOWN_ANSWERS, tests by name, and MUTATED, the functions to spoil by learner.
"""

import ast
import contextlib
import functools
import importlib
import inspect
import signal
import sys
import textwrap
import time
import warnings
from pathlib import Path
from types import CodeType
from typing import NamedTuple

import numpy as np

from harness import jit

KINDS = "sign", "index", "factor", "half"
EACH = 2
"""Mutants of a kind in one function, at most: spread over its text."""
LONGEST = 5
"""Seconds after which a mutant counts as found: it loops for ever."""

EQUIVALENT = {
    "dot factor: m * k * n": "only chooses between a loop and BLAS, which agree",
    "dot_t factor: m * k * n": "likewise",
    "t_dot factor: m * k * n": "likewise",
    "dot factor: m * k ->": "likewise",
    "dot_t factor: m * k ->": "likewise",
    "t_dot factor: m * k ->": "likewise",
    "adapt:11 index: theta[i] ->": "every weight fades once, in another order",
    "normalise index: W[j] ->": "the same rows, in another order",
    "powers index: e[k] ->": "the same sum, in another order",
    "powers:10 index: z[k] ->": "likewise",
    "normalise:11 index: row[k] ->": "the same sum, in another order",
    "RandomFeatures.model half: 1000": "a limit on steps that are not needed",
    "RandomFeatures.model half: 0.0001": "a tolerance: the optimum is the same",
}
"""Edits that make no other rule, as `function what` or `function:line what`, or how that begins, and why."""


class Mutant(NamedTuple):
    """One edit: of which function, in which line of it, what, and the code that results."""

    function: object
    kind: str
    line: int
    what: str
    code: CodeType

    def __str__(self):
        return f"{self.function.__qualname__}:{self.line} {self.what}"


# ---------------------------------------------------------------- edits


def edits(node, inside):
    """Every edit of one node, as (kind, function that makes it in place). `inside`: it is part of an index or a range."""
    if inside:
        return
    match node:
        case ast.BinOp(op=ast.Add()) | ast.AugAssign(op=ast.Add()):
            yield "sign", lambda n: setattr(n, "op", ast.Sub())
        case ast.BinOp(op=ast.Sub()) | ast.AugAssign(op=ast.Sub()):
            yield "sign", lambda n: setattr(n, "op", ast.Add())
        case ast.UnaryOp(op=ast.USub()):
            yield "sign", lambda n: setattr(n, "op", ast.UAdd())
        case ast.BinOp(op=ast.Mult()):
            yield "factor", lambda n: setattr(n, "right", ast.Constant(1))
            yield "factor", lambda n: setattr(n, "left", ast.Constant(1))
        case ast.BinOp(op=ast.Div()):
            yield "factor", lambda n: setattr(n, "right", ast.Constant(1))
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool) and node.value:
            yield "half", lambda n: setattr(n, "value", n.value / 2)
        case ast.Subscript(slice=ast.Tuple(elts=[a, b])) if ast.dump(a) != ast.dump(b):
            yield "index", lambda n: n.slice.elts.reverse()
        case ast.Subscript(slice=ast.BinOp(left=ast.BinOp(left=ast.Name(), op=ast.Mult()), op=ast.Add(), right=ast.Name())):
            yield "index", swap
        case ast.Subscript(slice=ast.Name()):
            yield "index", lambda n: setattr(n, "slice", ast.BinOp(n.slice, ast.Sub(), ast.Constant(1)))
    if isinstance(node, ast.AugAssign):
        yield "half", lambda n: setattr(n, "value", ast.BinOp(n.value, ast.Mult(), ast.Constant(0.5)))


def swap(node):
    """A[i * n + j] becomes A[j * n + i]."""
    product, last = node.slice.left, node.slice.right
    product.left, node.slice.right = last, product.left


def indices(tree):
    """Nodes within an index, the bounds of a loop, or text: edits of them only crash."""
    found = set()
    for node in ast.walk(tree):
        within = []
        if isinstance(node, ast.Subscript):
            within = [node.slice]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("range", "np.zeros", "np.full"):
            within = node.args
        elif isinstance(node, ast.Compare):
            within = [c for c in node.comparators if isinstance(c, ast.Constant)]
        found |= {id(below) for each in within for below in ast.walk(each)}
    return found


def text(function):
    """The syntax tree of a function, without its decorators."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    tree.body[0].decorator_list = []
    return tree


def mutants(function):
    """Every mutant of a function."""
    tree = text(function)
    outside = indices(tree)
    for at, node in enumerate(ast.walk(tree)):
        for which, (kind, _) in enumerate(edits(node, id(node) in outside)):
            copy = text(function)
            twin = list(ast.walk(copy))[at]
            before = ast.unparse(twin)
            list(edits(twin, False))[which][1](twin)
            after = ast.unparse(ast.fix_missing_locations(twin))
            yield Mutant(function, kind, node.lineno, f"{kind}: {before} -> {after}", compiled(copy, function))


def compiled(tree, function):
    """The code of the function that a tree defines. A name from outside, such as `__class__`, stays one."""
    free = function.__code__.co_freevars
    if free:
        arguments = ast.arguments(
            posonlyargs=[], args=[ast.arg(name) for name in free], kwonlyargs=[], kw_defaults=[], defaults=[]
        )
        tree.body = [ast.FunctionDef(name="outer", args=arguments, body=tree.body, decorator_list=[])]
    code = compile(ast.fix_missing_locations(tree), inspect.getsourcefile(function), "exec")
    for _ in range(2 if free else 1):
        code = next(c for c in code.co_consts if inspect.iscode(c))
    return code


def chosen(learner):
    """The mutants of a learner that are tried: of each function and kind a few, spread over its text."""
    for function in tested()[learner].MUTATED[learner]:
        every = sorted(mutants(function), key=lambda m: (m.line, m.what))
        names = {m: (str(m), f"{function.__qualname__} {m.what}") for m in every}
        every = [m for m in every if not any(name.startswith(tuple(EQUIVALENT)) for name in names[m])]
        for kind in KINDS:
            same = [m for m in every if m.kind == kind]
            yield from same[:: max(1, len(same) // EACH)][:EACH]


# ---------------------------------------------------------------- trial


@contextlib.contextmanager
def in_place(function, code):
    """Let a function be another, wherever it is already known."""
    kept, function.__code__ = function.__code__, code
    try:
        yield
    finally:
        function.__code__ = kept


@contextlib.contextmanager
def python_alone():
    """Refuse to compile."""

    def refuse(*_):
        raise AssertionError("a known answer of a mutant must run as Python: live(..., python=True)")

    kept, jit._njit = jit._njit, refuse
    try:
        yield
    finally:
        jit._njit = kept


@contextlib.contextmanager
def at_most(seconds):
    """Raise TimeoutError after so many seconds."""

    def late(*_):
        raise TimeoutError

    kept = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, kept)


@functools.cache
def tested():
    """The test file of each learner whose rule is spoilt: every one that says what to spoil."""
    names = (path.stem for path in sorted(Path(__file__).parent.glob("test_*.py")) if "\nMUTATED = " in path.read_text())
    modules = [importlib.import_module(f"tests.{name}") for name in names]
    return {learner: module for module in modules for learner in module.MUTATED}


def answers(learner):
    """The known answers of a learner, by name."""
    return tested()[learner].KNOWN_ANSWERS


def killer(learner, tests):
    """The first test that finds the learner wrong, or nothing."""
    for name, test in tests.items():
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"), at_most(LONGEST):
                warnings.simplefilter("ignore")
                test(learner)
        except Exception:  # noqa: BLE001 - however it fails, it has been found
            return name
    return ""


def trial(learner):
    """Every chosen mutant of a learner, with the test that finds it, or nothing."""
    tests = answers(learner)
    with python_alone():
        if wrong := killer(learner, tests):
            raise AssertionError(f"{learner.__name__} is not right to begin with: {wrong}")
        for mutant in chosen(learner):
            with in_place(mutant.function, mutant.code):
                yield mutant, killer(learner, tests)


def main():
    """Print the table; return 1 where a mutant survives."""
    start, survivors, count = time.perf_counter(), 0, 0
    for learner in tested():
        for mutant, killed in trial(learner):
            count += 1
            survivors += not killed
            what = str(mutant)
            print(
                f"{learner.__name__:<18} {what if len(what) <= 96 else what[:93] + '...':<96} {killed or 'SURVIVES'}", flush=True
            )
    print(f"{count} mutants, {survivors} survive, {time.perf_counter() - start:.0f} s")
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main())
