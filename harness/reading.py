"""Read the source of one module: its definitions in a normal form, and the names that each of them uses.

Scopes are kept as Python keeps them: a parameter called like a function of the module is not that function.
"""

from __future__ import annotations

import ast
import hashlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Target = tuple[str, tuple[str, ...]]
"""What an import names: a module, and attributes within it. The empty module is the folder of a loose file."""
Chain = tuple[str, ...]
"""A dotted name as it is written: `kernels.dot` is ("kernels", "dot")."""

HARMLESS = frozenset({
    "kernel", "staticmethod", "classmethod", "property", "dataclass", "dataclass_transform", "cache", "lru_cache", "njit",
    "jit", "contextmanager", "final", "total_ordering", "wraps", "given", "fixture",
})  # fmt: skip
"""Last words of decorators that change only what they decorate; any other may register it somewhere."""
DYNAMIC = frozenset({("globals",), ("eval",), ("exec",), ("__import__",), ("import_module",), ("importlib", "import_module"),
                     ("sys", "modules")})  # fmt: skip
"""Names by which code reaches what no reader can see."""

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_SIMPLE = ast.Assign | ast.AugAssign | ast.AnnAssign
_UNSEEN = frozenset({"ctx", "kind", "type_comment", "type_params", "returns", "annotation"})


class Part(NamedTuple):
    """One definition: the digest of its normal form, and all that it uses."""

    sha: str
    names: frozenset[Chain] = frozenset()
    """Dotted names to be found in the module."""
    targets: frozenset[Target] = frozenset()
    """What it uses by imports of its own."""
    loads: frozenset[str] = frozenset()
    """Modules that it imports by itself."""
    dynamic: bool = False
    """It may use what cannot be read."""


class Module(NamedTuple):
    """What there is to know of one module."""

    package: str
    """The package that its relative imports start from; its own name if it is a package."""
    definitions: dict[str, Part]
    entries: dict[str, Part]
    """What stands in lists: `Task(name="logic/parity", ...)` by its name, all without a plain name together as ""."""
    imports: dict[str, frozenset[Target]]
    effects: Part | None
    """Its statements that define nothing and act when it is imported."""
    loads: frozenset[str]
    """Modules that it imports when it is imported."""
    stars: frozenset[str]
    """Modules of which it takes everything."""


def read(source: bytes, package: str, *, python: bool = True) -> Module:
    """Read one module. What is not Python, or not valid, is one definition: the digest of its bytes."""
    try:
        tree = ast.parse(source) if python else None
    except (SyntaxError, ValueError):
        tree = None
    if tree is None:
        return Module(package, {"<file>": Part(_sha(source.decode("latin-1")))}, {}, {}, None, frozenset(), frozenset())
    statements = list(_alive(tree.body))
    where: dict[str, list[ast.stmt]] = {}
    imports: dict[str, set[Target]] = {}
    for statement in statements:
        if isinstance(statement, _FUNCTIONS | ast.ClassDef):
            where.setdefault(statement.name, []).append(statement)
            continue
        for bound, targets in _bindings([statement], package).items():
            imports.setdefault(bound, set()).update(targets)
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                where.setdefault(bound, []).append(statement)
    top = [node for statement in statements for node in _scope([statement])]
    effects = [statement for statement in statements if _acts(statement)]
    return Module(
        package,
        {bound: _part(of, package) for bound, of in where.items()},
        {bound: _part(of, package) for bound, of in _entries(statements).items()},
        {bound: frozenset(targets) for bound, targets in imports.items() if targets},
        _part(effects, package) if effects else None,
        frozenset(each for node in top for each in _loaded(node, package)),
        frozenset(_base(node, package) for node in top if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"),
    )


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _entries(statements: list[ast.stmt]) -> dict[str, list[ast.AST]]:
    """What stands in the tuples and lists of a module, by the constant that an entry is given as `name=`."""
    found: dict[str, list[ast.AST]] = {}
    for statement in statements:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(statement.value, ast.Tuple | ast.List):
            for each in statement.value.elts:
                words = each.keywords if isinstance(each, ast.Call) else []
                names = [w.value.value for w in words if w.arg == "name" and isinstance(w.value, ast.Constant)]
                found.setdefault(str(names[0]) if names else "", []).append(each)
    return found


def _part(statements: Sequence[ast.AST], package: str) -> Part:
    uses = _Uses(package)
    words: list[str] = []
    for statement in statements:
        uses.visit(statement)
        _normal(statement, words, local=False)
    dynamic = not DYNAMIC.isdisjoint(uses.names)
    if dynamic:  # a string may be the name of a module
        uses.targets |= {(word, ()) for word in _strings(statements)}
    return Part(_sha(" ".join(words)), frozenset(uses.names), frozenset(uses.targets), frozenset(uses.loads), dynamic)


def _strings(statements: Sequence[ast.AST]) -> Iterator[str]:
    """String constants that could be the name of a module."""
    for node in (n for statement in statements for n in ast.walk(statement)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            word = node.value.lstrip(".")
            if word and all(part.isidentifier() for part in word.split(".")):
                yield word


def _alive(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run at import: without those for type checkers and for scripts."""
    for statement in body:
        if isinstance(statement, ast.If):
            test = ast.unparse(statement.test)
            if test in {"TYPE_CHECKING", "typing.TYPE_CHECKING"} or test.startswith("__name__ == "):
                yield from _alive(statement.orelse)
                continue
        yield statement


def _acts(statement: ast.stmt) -> bool:
    """Whether a statement may do more than define the names it binds."""
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass):
        return False
    if isinstance(statement, _FUNCTIONS | ast.ClassDef):
        return any(_last(each) not in HARMLESS for each in statement.decorator_list)
    if isinstance(statement, _SIMPLE):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        flat = [each for target in targets for each in (target.elts if isinstance(target, ast.Tuple | ast.List) else [target])]
        return any(not isinstance(each, ast.Name | ast.Starred) or getattr(each, "id", "") == "_" for each in flat)
    return not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))


def _last(decorator: ast.expr) -> str:
    """The last word of a decorator: `njit` of `@numba.njit(cache=True)`."""
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


# ---------------------------------------------------------------- names


def _base(node: ast.ImportFrom, package: str) -> str:
    """The module of `from module import ...`, absolute."""
    if not node.level:
        return node.module or ""
    words = package.split(".") if package else []
    kept = words[: len(words) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _loaded(node: ast.AST, package: str) -> Iterator[str]:
    """The modules that an import statement loads, as far as can be told."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _base(node, package)
        yield base
        yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)


def _bound_by_import(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, Target]]:
    """The names that an import statement binds, and to what."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            if alias.name != "*":
                yield alias.asname or alias.name, (_base(node, package), (alias.name,))
        elif alias.asname:
            yield alias.asname, (alias.name, ())
        else:
            top, *_ = alias.name.split(".")
            yield top, (top, ())


def _scope(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of one scope: not those inside functions and classes, and of comprehensions only what leaks out."""
    todo = list(nodes)
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, _FUNCTIONS | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, _COMPREHENSIONS):
            todo += [each.target for each in ast.walk(node) if isinstance(each, ast.NamedExpr)]
        else:
            todo += ast.iter_child_nodes(node)


def _bindings(nodes: Iterable[ast.AST], package: str) -> dict[str, set[Target]]:
    """The names that one scope binds; those bound by imports with what they may stand for."""
    bound: dict[str, set[Target]] = {}
    outside: set[str] = set()
    for node in _scope(nodes):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.setdefault(node.id, set())
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for name, target in _bound_by_import(node, package):
                bound.setdefault(name, set()).add(target)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            outside |= set(node.names)
        elif isinstance(node, _FUNCTIONS | ast.ClassDef | ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            bound.setdefault(node.name, set())
        elif isinstance(node, ast.MatchMapping) and node.rest:
            bound.setdefault(node.rest, set())
    return {name: targets for name, targets in bound.items() if name not in outside}


class _Uses(ast.NodeVisitor):
    """The names that statements use and do not bind within a function of their own."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.names: set[Chain] = set()
        self.targets: set[Target] = set()
        self.loads: set[str] = set()
        self.scopes: list[dict[str, set[Target]]] = []

    def use(self, chain: Chain) -> None:
        """Note one dotted name: of this scope, of an import in it, or of the module."""
        for scope in reversed(self.scopes):
            if chain[0] in scope:
                self.targets |= {(module, (*attributes, *chain[1:])) for module, attributes in scope[chain[0]]}
                return
        self.names.add(chain)

    def within(self, scope: dict[str, set[Target]], nodes: Iterable[ast.AST]) -> None:
        """Visit nodes in a scope of their own."""
        self.scopes.append(scope)
        for node in nodes:
            self.visit(node)
        self.scopes.pop()

    def visit_Name(self, node: ast.Name) -> None:
        """A name; one that is assigned counts as well, for `x += 1` reads it."""
        self.use((node.id,))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """A dotted name, if a name stands at its root."""
        words, root = [node.attr], node.value
        while isinstance(root, ast.Attribute):
            words.append(root.attr)
            root = root.value
        if isinstance(root, ast.Name):
            self.use((root.id, *reversed(words)))
        else:
            self.visit(root)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """An annotated assignment: within a function, where classes have none, the annotation is never looked at."""
        self.visit(node.target)
        if node.value:
            self.visit(node.value)
        if not self.scopes:
            self.visit(node.annotation)

    def visit_Import(self, node: ast.Import) -> None:
        """An import inside a definition."""
        self.load(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """An import inside a definition."""
        self.load(node)

    def load(self, node: ast.Import | ast.ImportFrom) -> None:
        """Note what an import loads; outside a function its names are not followed, so all that it names counts."""
        self.loads |= set(_loaded(node, self.package))
        if not self.scopes:
            self.targets |= {target for _, target in _bound_by_import(node, self.package)}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """A function: decorators and defaults belong outside, the body has its own names."""
        self.function(node, node.body)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """Likewise."""
        self.function(node, node.body)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Likewise."""
        self.function(node, [node.body])

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, body: list[ast.stmt] | list[ast.expr]) -> None:
        """Visit what a function uses."""
        a = node.args
        for each in [*getattr(node, "decorator_list", []), *a.defaults, *(d for d in a.kw_defaults if d)]:
            self.visit(each)
        given = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(x for x in (a.vararg, a.kwarg) if x)]
        scope: dict[str, set[Target]] = {each.arg: set() for each in given}
        for name, targets in _bindings(body, self.package).items():
            scope.setdefault(name, set()).update(targets)
        self.within(scope, body)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        """A comprehension: its targets are its own; its first iterable belongs outside."""
        self.comprehension(node, [node.elt])

    def visit_SetComp(self, node: ast.SetComp) -> None:
        """Likewise."""
        self.comprehension(node, [node.elt])

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        """Likewise."""
        self.comprehension(node, [node.elt])

    def visit_DictComp(self, node: ast.DictComp) -> None:
        """Likewise."""
        self.comprehension(node, [node.key, node.value])

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, made: list[ast.expr]) -> None:
        """Visit what a comprehension uses."""
        first, *others = node.generators
        self.visit(first.iter)
        targets = [generator.target for generator in node.generators]
        inner = [*targets, *first.ifs, *(n for g in others for n in (g.iter, *g.ifs)), *made]
        self.within(_bindings(targets, self.package), inner)


# ---------------------------------------------------------------- normal form


def _normal(node: ast.AST, words: list[str], *, local: bool) -> None:
    """Append a node as words, without what cannot matter. `local`: within a function, where annotations do nothing.

    A function with a decorator that we do not know keeps its annotations, as that may read them.
    """
    if local and isinstance(node, ast.AnnAssign) and node.value:
        node = ast.Assign([node.target], node.value)
    words.append(type(node).__name__)
    plain = isinstance(node, _FUNCTIONS) and all(_last(each) in HARMLESS for each in node.decorator_list)
    local = (local or plain) and not isinstance(node, ast.ClassDef)
    for field in node._fields:
        value = getattr(node, field, None)
        if value is None and isinstance(node, ast.Constant) and field == "value":
            words.append("None")
        if value is None or value == [] or (field in _UNSEEN and (local or field not in {"returns", "annotation"})):
            continue
        words.append(field)
        if isinstance(value, list):
            words.append("[")
            for each in value:
                if isinstance(each, ast.Pass) or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)):
                    continue
                if isinstance(each, ast.AST):
                    _normal(each, words, local=local)
                else:
                    words.append(repr(each))
            words.append("]")
        elif isinstance(value, ast.AST):
            _normal(value, words, local=local)
        else:
            words.append(repr(value))
