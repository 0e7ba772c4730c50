"""One audit at work: the subject, the graph of its direct effects and its back-propagation twin, made once for all probes."""

from __future__ import annotations

import shlex
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from harness.audit.graph import Graph
from harness.audit.subject import Subject, UnauditableError, draws
from harness.trial import label

if TYPE_CHECKING:
    from harness.audit.evidence import Finding
    from harness.base import Learner

ITSELF = "itself: no network of layers is like it, and it was found out"


class Case:
    """What probes share. Whatever cannot be made raises UnauditableError when it is asked for."""

    def __init__(
        self, cls: type[Learner], params: dict[str, Any] | None = None, *, seed: int = 0, fast: bool = False, where: str = ""
    ) -> None:
        self.cls, self.given, self.seed, self.fast, self.where = cls, params or {}, seed, fast, where or cls.__name__
        self.made: list[Subject] = []
        self.guilty = self.looked = False
        self.purpose = ""
        self._graph: Graph | None = None

    def fresh(self, *, seed: int | None = None, ticks: int = 0, **params: Any) -> Subject:
        """Another subject: with other settings, another seed, or so many ticks."""
        try:
            subject = Subject(self.cls, self.given | params, seed=self.seed if seed is None else seed, ticks=ticks)
        except UnauditableError:
            raise
        except Exception as error:
            raise UnauditableError(f"it cannot live through an audit's sample: {type(error).__name__}: {error}") from error
        self.made.append(subject)
        subject.rng = draws(subject, self.purpose)
        return subject

    def turn(self, purpose: str) -> None:
        """From here on all is drawn for another criterion, as if it were the only one: its command repeats it."""
        self.purpose, self.looked = purpose, False
        for subject in self.made:
            subject.rng = draws(subject, purpose)

    @cached_property
    def subject(self) -> Subject:
        """The learner at the settings of the audit."""
        return self.fresh()

    @property
    def graph(self) -> Graph:
        """The direct effects in its sample."""
        if self._graph is None:
            self._graph = Graph(self.subject)
        self.looked = True
        return self._graph

    @graph.setter
    def graph(self, graph: Graph) -> None:
        """Another one, as that of a twin whose cells are declared."""
        self._graph = graph

    @property
    def shared(self) -> int:
        """Runs that were made for direct effects, once for all criteria."""
        return 0 if self._graph is None else self._graph.shared

    @property
    def echo(self) -> int:
        """Samples that the learner keeps outside of its state; 0 where it cannot be laid out, which its probes will say."""
        try:
            return self.subject.echo
        except UnauditableError:
            return 0

    @property
    def interventions(self) -> int:
        """Runs so far, of all subjects."""
        return sum(subject.runs for subject in self.made)

    @property
    def shown(self) -> dict[str, Any]:
        """The settings as they were."""
        try:
            return self.subject.params
        except UnauditableError:
            return self.given

    @property
    def mode(self) -> Any:
        """Whether single steps could be told apart; if not, traces as a whole decide."""
        try:
            return "step" if self.subject.base.events else "trace"
        except UnauditableError:
            return "trace"

    @cached_property
    def twin(self) -> Case | None:
        """The positive control: a network of the same architecture that learns by back-propagation; None where there is none."""
        from harness.audit.twin import Wired, of

        found = of(self.graph)
        if found is None:
            return None
        twin = Case(found[0], seed=self.seed, fast=self.fast)
        twin.turn(self.purpose)
        twin.graph = Wired(twin.subject)
        self.made.append(twin.subject)
        return twin

    @property
    def twin_name(self) -> str:
        """What the positive control is, in words; nothing where no probe has looked for it, or there is none.

        Where no network of layers is like it, a learner that was found out (`guilty`) is a control itself.
        """
        from harness.audit.twin import of

        if self._graph is None:
            return ""
        try:
            found = of(self._graph)
        except Exception:  # noqa: BLE001 - the findings say what a stranger's learner raised
            return ""
        return found[1] if found else ITSELF * self.guilty

    def signed(self, finding: Finding, runs: int) -> Finding:
        """A finding with the number of its interventions, its own and those that are shared, and the command that repeats it."""
        shared = self.shared if self.looked else 0
        command = repeat(self.where, self.given, self.seed, finding.criterion, fast=self.fast)
        detail = finding.detail | dict(shared=shared) if shared else finding.detail
        return msgspec.structs.replace(finding, interventions=runs + shared, reproduce=command, detail=detail)


def repeat(where: str, given: dict[str, Any], seed: int, criterion: str, *, fast: bool) -> str:
    """The command that gives one finding again."""
    words = ["hebbench", "audit", label(where, given), "--seed", str(seed), "--only", criterion]
    return shlex.join(words + ["--fast"] * fast)
