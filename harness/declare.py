"""What a learner declares about itself: hyperparameters, populations, synapses, abilities, and the sizes it is laid out for."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal, NamedTuple

Role = Literal["forward", "feedback", "lateral", "bias", "readout", "intrinsic"]
Kind = Literal["rate", "binary", "spike", "error", "modulator"]

INPUTS = frozenset({"vector", "sequence"})
TARGETS = frozenset({"class", "value", "none"})


class RefusedError(ValueError):
    """Settings, or a task, that a rule cannot take: raised by `begin`, it makes a trial `not_applicable`."""


def hyper(
    *, default: Any, doc: str, low: float | None = None, high: float | None = None, log: bool = False, unit: str = "1",
    choices: tuple[Any, ...] = (), fit: bool = False, search: tuple[float, float] | bool = True,
) -> Any:  # fmt: skip
    """One hyperparameter: its default, meaning, unit, and the range in which it is valid.

    A choice among words or numbers reaches a kernel as its index in `choices`. `fit` marks an option of `fit` alone, where the
    harness does not own the loop; it is no part of the learning rule.

    search   where tuning looks: (low, high) within the valid range, where that is wider than what is sensible or affordable;
             True for all that is valid; False for what is no matter of tuning: a size, a unit of time, a constant of nature
    """
    if not choices and not isinstance(default, bool) and (low is None or high is None):
        raise TypeError(f"hyper(default={default!r}) needs low= and high=, or choices=.")
    options = tuple(choices) or ((False, True) if isinstance(default, bool) else ())
    looked = None if fit or search is False else _choices(options, search) if options else _range(default, low, high, log, search)
    metadata = dict(doc=doc, low=low, high=high, log=log, unit=unit, choices=choices, fit=fit, search=looked)
    return dataclasses.field(default=default, metadata=metadata)


def _choices(options: tuple[Any, ...], search: Any) -> tuple[Any, ...]:
    """What tuning chooses among: all that there is."""
    if search is not True:
        raise TypeError(f"search={search!r} must be True or False where there are choices: tuning tries them all, or none.")
    return options


def _range(default: Any, low: Any, high: Any, log: bool, search: Any) -> tuple[Any, Any] | None:
    """The range in which tuning looks, checked; None where there is but one value."""
    if search is True and low == high:
        return None
    pair = (low, high) if search is True else search
    two = isinstance(pair, tuple | list) and len(pair) == 2
    if (
        not two
        or not all(isinstance(x, int | float) and not isinstance(x, bool) for x in pair)
        or not low <= pair[0] < pair[1] <= high
        or not math.isfinite(pair[1] - pair[0])
    ):
        raise TypeError(f"search={search!r} must be (low, high) with {low} <= low < high <= {high}, both finite; or False.")
    if log and pair[0] <= 0:
        raise TypeError(f"search={search!r} begins at {pair[0]}: on a logarithmic scale give search=(low, high) with low > 0.")
    if isinstance(default, int) and any(x != int(x) for x in pair):
        raise TypeError(f"search={search!r} must be whole numbers, as default={default!r} is one.")
    return pair[0], pair[1]


def check_hyper(owner: str, field: dataclasses.Field[Any], value: Any) -> None:
    """Raise ValueError where a value does not fit its declaration."""
    m, name = field.metadata, f"{owner}.{field.name}"
    if m["choices"]:
        if value not in m["choices"]:
            raise ValueError(f"{name}={value!r} must be one of {', '.join(map(repr, m['choices']))}.")
    elif isinstance(field.default, bool):
        if value not in (False, True):
            raise ValueError(f"{name}={value!r} must be True or False.")
    else:
        whole = isinstance(field.default, int)
        number = isinstance(value, int | float) or hasattr(value, "__index__") or hasattr(value, "__float__")
        if not number or not m["low"] <= value <= m["high"] or (whole and value != int(value)):
            kind = "a whole number" if whole else "a number"
            raise ValueError(f"{name}={value!r} must be {kind} in [{m['low']}, {m['high']}] ({m['unit']}).")


class Synapse(NamedTuple):
    """One array of weights and its populations: `array` is (post, pre). `W[l]`, `a[l]`, `a[l+1]` stand for every layer l.

    `d[-1]` is the last of the d. A bias has pre "1". `plastic` False marks a weight that the rule leaves alone.
    """

    array: str
    pre: str
    post: str
    role: Role = "forward"
    plastic: bool = True


class Population(NamedTuple):
    """An array that holds activity, error or modulation. `a[l]` stands for every layer.

    `of` names the population at whose synapses the same cells sit, where this is another signal of theirs: what they do when
    shown a sample for a second time, or what they should do. Left out, the audit finds out for itself.
    """

    array: str
    kind: Kind = "rate"
    of: str = ""


@dataclasses.dataclass(frozen=True)
class Can:
    """What a learner can take; anything iterable will do.

    whole         it reads a sequence at once, as one signal (ticks, *shape)
    truth_tables  it can take no other data than a finite domain of binary signals, shown whole
    """

    inputs: frozenset[str] = frozenset({"vector"})
    targets: frozenset[str] = frozenset({"class"})
    whole: bool = False
    truth_tables: bool = False

    def __post_init__(self) -> None:
        for name, allowed in ("inputs", INPUTS), ("targets", TARGETS):
            given = frozenset(getattr(self, name))
            if not given or given - allowed:
                raise ValueError(f"Can.{name}={sorted(given)!r} must be some of {', '.join(sorted(allowed))}.")
            object.__setattr__(self, name, given)

    def refuses(self, requires: frozenset[str], exhaustive: bool) -> str:
        """Why a task with these requirements cannot be taken, or nothing."""
        if missing := sorted(requires - self.inputs - self.targets):
            return f"takes no {' and no '.join(missing)}; takes {', '.join(sorted(self.inputs | self.targets))}"
        if self.truth_tables and not exhaustive:
            return "takes truth tables alone: a finite domain of binary signals, shown whole"
        return ""


class Sizes(NamedTuple):
    """What a learner must know to lay out its state: a signal's shape, outputs, ticks, block, and the range of signal values."""

    shape: tuple[int, ...]
    n_out: int
    n_ticks: int = 1
    block: int = 1
    low: float = 0.0
    high: float = 1.0
