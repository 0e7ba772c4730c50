"""How a check becomes one of the contract's, and when it does not apply."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from harness.base import Learner
from harness.checks.material import AnyLearner

Function = Callable[[AnyLearner], None]


def _arrays(cls: type[Learner]) -> str:
    return "" if cls.live is Learner.live else "it wraps a model: no kernel and no array of it is ours"


def _fit(cls: type[Learner]) -> str:
    return "" if hasattr(cls, "fit") else "it has no `fit`: the harness alone trains it"


def _synapses(cls: type[Learner]) -> str:
    plastic = any(s.plastic for s in cls.synapses)
    return "" if plastic else "it declares no plastic synapse"


def _rate(cls: type[Learner]) -> str:
    return "" if rates(cls) else "it has no hyperparameter named `rate`, `rate_...` or `..._rate`"


def _source(cls: type[Learner]) -> str:
    return "it is a control, and stands for no published rule" if cls.family == "control" else ""


NEEDS = dict(arrays=_arrays, fit=_fit, synapses=_synapses, rate=_rate, source=_source)
"""What a check may need of a learner; each says why it is not there, or nothing."""


def rates(cls: type[Learner]) -> list[str]:
    """The hyperparameters that are step sizes: 0 means that nothing is learnt."""
    return [name for name in cls.hypers() if name == "rate" or name.startswith("rate_") or name.endswith("_rate")]


class Check(NamedTuple):
    """One check of the contract: `check(learner)` raises where the learner breaks it."""

    id: str
    doc: str
    function: Function
    needs: tuple[str, ...] = ()

    def __call__(self, learner: AnyLearner) -> None:
        """Raise AssertionError, or what the learner raised, where the contract is broken; SkippedError where it is silent."""
        self.function(learner)

    def refuses(self, cls: type[Learner]) -> str:
        """Why the check does not apply to a learner, or nothing."""
        return next((reason for need in self.needs if (reason := NEEDS[need](cls))), "")


CHECKS: list[Check] = []
"""All checks, in the order in which they run."""


def contract(*needs: str) -> Callable[[Function], Function]:
    """Make `check_<id>(learner)` a check of the contract. It may be called by itself, with a class or an instance."""

    def enter(function: Function) -> Function:
        @functools.wraps(function)
        def quiet(learner: AnyLearner) -> None:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                function(learner)

        doc = (function.__doc__ or "").strip().partition("\n\n")[0].replace("\n    ", " ")
        CHECKS.append(Check(function.__name__.removeprefix("check_"), doc, quiet, needs))
        return quiet

    return enter
