"""Find learners, tasks and claims, by three doors: files of the project, installed packages, loose files.

A learner is a public class below `harness.learner.Learner` with a `respond` and a `learn`; it is found by being there. Suites are
folders below `suites` whose module `tasks` has a tuple TASKS and whose module `claims` has CLAIMS. Packages announce
theirs by entry points, `hebbench.learners` (a module, or `module:Class`) and `hebbench.tasks` (a module with TASKS, and
CLAIMS if it makes any). What does not import is named and left out; a name taken twice is a mistake that names both.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import pkgutil
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from harness import quarantine, settings
from harness.digest import PROJECT, is_file, locate, split
from harness.listing import card
from harness.loading import load, module_of
from harness.settings import RequestError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from harness.claim import Claim
    from harness.task import Task

__all__ = ["Broken", "Entry", "Found", "RequestError", "Suite", "find", "load", "parse"]

Kind = Literal["learners", "tasks", "claims"]
Origin = Literal["builtin", "file", "package"]

TASK = re.compile(r"[\w-]+/[\w.-]+")
"""How a task is called: `suite/name`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """One place to look in: a module or file, and the one name in it that is meant, if one is."""

    place: str
    name: str = ""
    kind: Kind = "learners"
    origin: Origin = "builtin"
    distribution: str = ""
    version: str = ""
    asked: bool = False
    """It was named on the command line."""

    def __str__(self) -> str:
        return f"{self.place} ({self.distribution} {self.version})" if self.distribution else self.place


class Entry(NamedTuple):
    """A learner's class or a task: its name, where another process finds it, and the place it was found in."""

    name: str
    where: str
    source: Source
    thing: Any

    @property
    def origin(self) -> Origin:
        """The door it came by."""
        return self.source.origin


class Broken(NamedTuple):
    """What was left out, and why."""

    name: str
    origin: Origin
    error: str


class Suite(NamedTuple):
    """One suite: its tasks by name, and its claims."""

    name: str
    tasks: list[str]
    claims: list[Claim]


@dataclasses.dataclass(frozen=True)
class Found:
    """All there is, by folded name, in the order of a listing."""

    learners: dict[str, Entry] = dataclasses.field(default_factory=dict)
    tasks: dict[str, Entry] = dataclasses.field(default_factory=dict)
    suites: dict[str, Suite] = dataclasses.field(default_factory=dict)
    broken: list[Broken] = dataclasses.field(default_factory=list)

    def learner(self, name: str) -> Entry:
        """The learner of this name, whatever its case."""
        return self._get("learner", name, self.learners)  # type: ignore[no-any-return]

    def task(self, name: str) -> Entry:
        """The task `suite/name`."""
        return self._get("task", name, self.tasks)  # type: ignore[no-any-return]

    def suite(self, name: str) -> Suite:
        """The suite of this name."""
        return self._get("suite", name, self.suites)  # type: ignore[no-any-return]

    def choose(self, words: Sequence[str]) -> list[tuple[Entry, dict[str, Any]]]:
        """The learners, with settings, that words of the command line mean; a file means all its learners.

        What was asked for but is broken is left out, as long as anything remains.
        """
        chosen = []
        for text in words:
            word, given = settings.split(text)
            entries = self._within(word) if outside(word) else [self.learner(word)]
            chosen += [(entry, settings.values(entry.thing, given)) for entry in entries]
        if words and not chosen:
            msg = f"learner={', '.join(words)!r} does not load. " + " ".join(f"{b.name}: {b.error}" for b in self.broken)
            raise RequestError(msg)
        return chosen

    def _within(self, word: str) -> list[Entry]:
        """The learners of a file or module."""
        place, name = split(word)
        place = str(Path(place).resolve()) if is_file(place) else place
        return [e for e in self.learners.values() if place in _places(e) and name in {"", e.name}]

    def _get(self, kind: str, name: str, known: dict[str, Any]) -> Any:
        if name.casefold() not in known:
            lost = ", ".join(each.name for each in self.broken)
            raise unknown(kind, name, (each.name for each in known.values()), f" Left out as broken: {lost}." if lost else "")
        return known[name.casefold()]

    def add(self, source: Source, module: ModuleType) -> None:
        """Take in what a place offers."""
        if source.kind == "learners":
            for cls in _learners(module, source):
                place = source.place if source.origin == "file" else cls.__module__
                self._enter("learner", self.learners, Entry(cls.__name__, f"{place}:{cls.__name__}", source, cls))
            return
        name = source.name
        for task in _tasks(module) if source.kind == "tasks" else ():
            self._enter("task", self.tasks, Entry(task.name, f"{source.place}:{task.name}", source, task))
            name = task.name.partition("/")[0]
            self.suites.setdefault(name.casefold(), Suite(name, [], [])).tasks.append(task.name)
        for claim in getattr(module, "CLAIMS", ()):
            suite = self.suites.setdefault(name.casefold(), Suite(name, [], []))
            if claim.id in {each.id for each in suite.claims}:
                msg = f"The claim {name}/{claim.id} of {source} is there already; rename one."
                raise RequestError(msg)
            suite.claims.append(claim)

    def _enter(self, kind: str, known: dict[str, Entry], entry: Entry) -> None:
        other = known.setdefault(entry.name.casefold(), entry)
        if other.where != entry.where:
            msg = f"The {kind} name {entry.name!r} is taken twice: by {other.source} and by {entry.source}; rename or remove one."
            raise RequestError(msg)


def find(words: Sequence[str] = ()) -> Found:
    """All learners, tasks and claims; with them the learners of the loose files and modules among `words`.

    Raises RequestError for a word whose file or module is not there, and for a name taken twice.
    """
    sources = [*_builtin(), *_installed(), *(_asked(word) for word in dict.fromkeys(words) if outside(settings.split(word)[0]))]
    errors = quarantine.failures(source.place for source in sources)
    found = Found()
    for source in sources:
        error = errors.get(source.place, "")
        if error or (source.origin == "file" and any(source.place in _places(each) for each in found.learners.values())):
            pass  # broken, or a file that another door has opened already
        else:
            try:
                found.add(source, module_of(source.place))
            except RequestError:
                raise
            except Exception as raised:  # noqa: BLE001 - whatever a plug-in raises, the others run
                error = f"{type(raised).__name__}: {raised}"
        if error:
            broken = Broken(source.distribution or source.place, source.origin, f"{source.place}: {error}")
            found.broken.extend([] if broken in found.broken else [broken])
    return Found(dict(sorted(found.learners.items())), found.tasks, dict(sorted(found.suites.items())), found.broken)


def parse(text: str, found: Found | None = None) -> tuple[str, dict[str, Any]]:
    """`mlp[hidden=32,rate=0.1]` as ("MLP", {"hidden": 32, "rate": 0.1}), checked against what MLP declares."""
    (entry, given), *_ = (found or find([text])).choose([text])
    return entry.name, given


def outside(word: str) -> bool:
    """Whether a word is a file or `package.module:Class` rather than a name."""
    return ":" in word or is_file(word)


# ---------------------------------------------------------------- where to look


def _builtin() -> Iterator[Source]:
    """The project's own modules."""
    learners, suites = (importlib.import_module(name) for name in PROJECT[1:])
    for info in pkgutil.iter_modules(learners.__path__):
        yield Source(place=f"learners.{info.name}")
    for info in pkgutil.iter_modules(suites.__path__):
        for kind in ("tasks", "claims") if info.ispkg else ():
            if locate(f"suites.{info.name}.{kind}")[0]:
                yield Source(place=f"suites.{info.name}.{kind}", kind=_kind(kind), name=info.name)


def _installed() -> Iterator[Source]:
    """What installed packages announce."""
    for kind in "learners", "tasks":
        for entry in sorted(metadata.entry_points(group=f"hebbench.{kind}"), key=lambda each: (each.value, each.name)):
            name, version = (entry.dist.name, entry.dist.version) if entry.dist else (entry.name, "")
            yield Source(
                place=entry.module, name=entry.attr, kind=_kind(kind), origin="package", distribution=name, version=version
            )


def _kind(word: str) -> Kind:
    return "learners" if word == "learners" else "tasks" if word == "tasks" else "claims"


def _asked(text: str) -> Source:
    """A file or module that was named on the command line."""
    word, _ = settings.split(text)
    place, name = split(word)
    if is_file(place):
        path = Path(place).resolve()
        if path.is_file():
            return Source(place=str(path), name=name, origin="file", asked=True)
    elif name and locate(place)[0]:
        return Source(place=place, name=name, origin="builtin" if place.startswith("learners.") else "package", asked=True)
    msg = f"learner={word!r}: there is no {place}; give a learner's name, package.module:Class or path/to/file.py."
    raise RequestError(msg)


# ---------------------------------------------------------------- what a module offers


def _learners(module: ModuleType, source: Source) -> list[Any]:
    """The learners that a module defines and shows; the one that is meant, if one is."""
    from harness.learner import Learner

    def counts(name: str, each: Any) -> bool:
        if name.startswith("_") or not (inspect.isclass(each) and issubclass(each, Learner) and _whole(each)):
            return False
        home = each.__module__ == module.__name__ or (
            source.origin != "file" and each.__module__.startswith(f"{module.__name__}.")
        )
        return name == each.__name__ and (home or name == source.name)

    offered = {name: each for name, each in vars(module).items() if counts(name, each)}
    if source.name and source.name not in offered:
        if source.asked:
            raise unknown(f"learner of {source.place}", source.name, offered)
        msg = f"{source.name} is no learner: it must be a subclass of harness.learner.Learner that binds `respond` and `learn`."
        raise TypeError(msg)
    if not offered and source.origin != "builtin":
        msg = "it defines no learner: a public subclass of harness.learner.Learner that binds `respond` and `learn`."
        raise TypeError(msg)
    chosen = [offered[source.name]] if source.name else list(offered.values())
    for each in chosen:
        json.dumps(card(each), allow_nan=False)  # what cannot be described would break the listing of all others
    return chosen


def _whole(each: Any) -> bool:
    """Whether a class has what a learner needs; one that several learners build on may lack some of it."""
    return hasattr(each, "respond") and hasattr(each, "learn")


def _tasks(module: ModuleType) -> Sequence[Task]:
    """The tasks that a module lists."""
    from harness.task import Task

    tasks = getattr(module, "TASKS", ())
    wrong = [each for each in tasks if not isinstance(each, Task) or not TASK.fullmatch(each.name)]
    if wrong or not tasks:
        msg = f"TASKS={wrong or tasks!r} must list harness.task.Task objects, each named suite/name."
        raise TypeError(msg)
    return tasks  # type: ignore[no-any-return]


def _places(entry: Entry) -> set[str]:
    """The places by which a learner may be asked for: its module, its source, its file."""
    file = getattr(sys.modules.get(entry.thing.__module__), "__file__", None)
    return {entry.thing.__module__, entry.source.place, str(Path(file).resolve()) if file else ""}
