"""The known answers find every wrong rule."""

import ast
import collections

import pytest

from learners.oja import Oja
from tests import mutants


@pytest.mark.parametrize("learner", mutants.tested(), ids=lambda cls: cls.__name__)
def test_no_mutant_survives(learner):
    found = list(mutants.trial(learner))
    assert [str(mutant) for mutant, killed in found if not killed] == []
    kinds = collections.Counter(mutant.kind for mutant, _ in found)
    assert sum(kinds.values()) >= 4
    if learner.__module__ != "learners.controls":  # its sums are NumPy's: there is no index to get wrong
        assert set(kinds) == set(mutants.KINDS)


def test_a_mutant_that_no_answer_looks_at_survives():
    def says_yes(cls):
        assert cls is Oja

    mutant = next(mutants.mutants(Oja.learn))
    before = Oja.learn.__code__
    with mutants.in_place(mutant.function, mutant.code):
        assert Oja.learn.__code__ is not before
        assert mutants.killer(Oja, {"says_yes": says_yes}) == ""
        assert mutants.killer(Oja, {"says_yes": says_yes} | mutants.answers(Oja)) in mutants.answers(Oja)
    assert Oja.learn.__code__ is before


def test_a_known_answer_that_compiles_is_no_answer(monkeypatch):
    monkeypatch.setattr(mutants, "answers", lambda _: {"compiles": lambda cls: mutants.jit._njit(cls.learn, True, [], False)})
    with pytest.raises(AssertionError, match="not right to begin with: compiles"):
        next(mutants.trial(Oja))


def test_a_mutant_that_never_ends_is_found(monkeypatch):
    monkeypatch.setattr(mutants, "LONGEST", 0.05)

    def never(cls):
        while True:
            pass

    assert mutants.killer(Oja, {"never": never}) == "never"


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("sign", "a + b", "a - b"),
        ("sign", "W[k, j] += r", "W[k, j] -= r"),
        ("index", "W[k, j]", "W[j, k]"),
        ("index", "A[i * n + j]", "A[j * n + i]"),
        ("factor", "rate * x", "1 * x"),
        ("factor", "rate * x", "rate * 1"),
        ("half", "0.5", "0.25"),
        ("half", "W[j] += rate", "W[j] += rate * 0.5"),
    ],
)
def test_edits_are_what_they_say(kind, before, after):
    found = []
    tree = ast.parse(before)
    node = tree.body[0].value if isinstance(tree.body[0], ast.Expr) else tree.body[0]
    for which, (k, _) in enumerate(mutants.edits(node, False)):
        twin = ast.parse(before).body[0]
        twin = twin.value if isinstance(twin, ast.Expr) else twin
        list(mutants.edits(twin, False))[which][1](twin)
        found.append((k, ast.unparse(twin)))
    assert (kind, after) in found
