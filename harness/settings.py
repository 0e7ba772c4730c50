"""Learners as they are written on the command line: `MLP[hidden=32,rate=0.1]`, with every value checked before any work."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from harness.declare import check_hyper

if TYPE_CHECKING:
    import dataclasses
    from collections.abc import Iterable

    from harness.learner import Learner

SETTINGS = re.compile(r"(?P<word>.+?)(\[(?P<settings>[^\[\]]*)\])?", re.DOTALL)


class RequestError(ValueError):
    """What was asked for cannot be: an unknown name, a value out of range, a name taken twice. The message says what can."""


def unknown(kind: str, name: str, known: Iterable[str], hint: str = "") -> RequestError:
    """The mistake of a name that is not there, with the nearest one that is, and all others."""
    names = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.casefold(), names, 1, cutoff=0.5)
    guess = f" Did you mean {names[near[0]]}?" if near else ""
    there = ", ".join(names[each] for each in sorted(names)) or "none"
    return RequestError(f"{kind}={name!r} is not known.{guess}{hint} There are: {there}.")


def split(text: str) -> tuple[str, dict[str, str]]:
    """`MLP[hidden=32,rate=0.1]` as ("MLP", {"hidden": "32", "rate": "0.1"})."""
    match = SETTINGS.fullmatch(text)
    pieces = (match["settings"] or "").split(",") if match else []
    settings = dict[str, str]()
    for piece in pieces if pieces != [""] else []:
        name, equals, value = (word.strip() for word in piece.partition("="))
        if not (equals and name and value) or name in settings:
            problem = "is set twice" if name in settings else "is no setting"
            msg = f"learner={text!r}: {piece.strip()!r} {problem}; write NAME[hyperparameter=value,...], each once."
            raise RequestError(msg)
        settings[name] = value
    if match is None or (match["settings"] is None and "[" in text):
        msg = f"learner={text!r} is neither a name nor NAME[hyperparameter=value,...]."
        raise RequestError(msg)
    return match["word"].strip(), settings


def values(learner: type[Learner], settings: dict[str, str]) -> dict[str, Any]:
    """The values of hyperparameters that were given as text, converted and checked against their declaration."""
    fields = learner.hypers()
    open_ = {name: field for name, field in fields.items() if not field.metadata["fit"]}
    found = {}
    for name, text in settings.items():
        if name in fields and name not in open_:
            msg = f"{learner.__name__}[{name}={text}]: {name} is an option of `fit`; in a benchmark the harness decides it."
            raise RequestError(msg)
        if name == "random_state":
            msg = f"{learner.__name__}[{name}={text}]: seeds are no hyperparameter; choose replicates with --seeds."
            raise RequestError(msg)
        if name not in open_:
            raise unknown(f"hyperparameter of {learner.__name__}", name, open_)
        found[name] = value(learner.__name__, open_[name], text)
    return found


def value(owner: str, field: dataclasses.Field[Any], text: str) -> Any:
    """One value, as the type of its declaration."""
    choices = field.metadata["choices"]
    if isinstance(field.default, bool) and not choices:
        choices = (False, True)
    if choices:
        for choice in choices:
            if str(choice).casefold() == text.casefold():
                return choice
        raise unknown(f"{owner}.{field.name}", text, map(str, choices))
    try:
        number = float(text)
        whole = isinstance(field.default, int) and number.is_integer()
        check_hyper(owner, field, number)
    except ValueError as error:
        m = field.metadata
        allowed = f"{owner}.{field.name}={text!r} must be a number in [{m['low']}, {m['high']}] ({m['unit']})."
        raise RequestError(allowed if "could not convert" in str(error) else str(error)) from None
    return int(number) if whole else number
