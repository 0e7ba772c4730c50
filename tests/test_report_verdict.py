"""The verdict in words, for every kind of result there can be."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from reports.board import Board, Pair, Standing
from reports.verdict import verdict
from reports.words import figure, lacking, listed, points, seconds, short

WIDTH = 0.03


def against(difference: float, width: float | None, margin: float = 0.02, needed: int | None = 7) -> Pair:
    """A pair that is decided by its interval alone."""
    if width is None:
        return Pair(difference, None, 0.5, None, None, "undecided", 5, 10, 5, 1, None)
    verdict = "undecided"
    if abs(difference) > width:
        verdict = "better" if difference > 0 else "worse"
    if abs(difference) + width <= margin:
        verdict = "equal"
    more = needed if verdict == "undecided" else None
    return Pair(difference, (difference - width, difference + width), 0.5, 0.5, 0.5, verdict, 5, 10, 15, 3, more)


def made(
    scores: dict[str, tuple[str, float]], *, width: float | None = WIDTH, unranked: tuple[str, ...] = (), **changes: object
) -> Board:
    """A board of given scores, in which learners are told apart if they differ by more than `width`."""
    ranked = [name for name in scores if name not in unranked]
    pairs = {(a, b): against(scores[a][1] - scores[b][1], width) for a, b in itertools.permutations(ranked, 2)}
    standings = [
        Standing(name, family, score, None if width is None else (score - width, score + width), 10, 30, 0, 1.0,
                 None if name in unranked else (1, len(ranked)), score, None)
        for name, (family, score) in scores.items()
    ]  # fmt: skip
    standings.sort(key=lambda s: (s.rank is None, -s.score))
    return dataclasses.replace(Board(tuple(standings), pairs, 10, 1 if width is None else 3), **changes)


STUDIED = {"MLP": ("engineered", 0.9), "Oja": ("biological", 0.5), "Logistic": ("control", 0.6)}
OK = {"ok": 90}


def test_one_clear_winner():
    found = verdict(made(STUDIED), OK, {})
    assert found.headline == "MLP is better than every other learner"
    text = " ".join(found.sentences)
    assert "MLP scores 0.900 on all 10 cells (95 % interval 0.870 to 0.930)." in text
    assert "It is better than Logistic and Oja." in text
    assert "The best control is Logistic (0.600): 1 of the 2 learners under study is better than it." in text
    assert "The best biological learner, Oja (0.500), is worse than the best engineered one, MLP (0.900)" in text
    assert "a difference of −0.400 (simultaneous 95 % interval −0.430 to −0.370)" in text
    assert "No trial failed." in text


def test_two_learners_are_called_by_name():
    found = verdict(made({name: STUDIED[name] for name in ("MLP", "Oja")}), OK, {})
    assert found.headline == "MLP is better than Oja"


def test_what_is_undecided_is_named_with_what_it_would_take():
    found = verdict(made(STUDIED | {"Attention": ("engineered", 0.88)}), OK, {})
    assert found.headline == "MLP leads, undecided against Attention"
    text = " ".join(found.sentences)
    assert "It is better than Logistic and Oja." in text
    assert "Against Attention nothing is decided" in text
    assert "a verdict takes 7 further seeds a task (80 % power)." in text


def test_equals_are_named():
    found = verdict(made(STUDIED | {"Attention": ("engineered", 0.895)}, width=0.01), OK, {})
    assert found.headline == "MLP leads, equal to Attention within two points"
    assert "It is equal to Attention within two points." in found.sentences


def test_equals_and_undecided_are_kept_apart():
    board = made({"A": ("biological", 0.9), "B": ("biological", 0.895), "C": ("engineered", 0.893)}, width=0.01)
    board.pairs["A", "C"] = against(0.007, 0.03)
    found = verdict(board, OK, {})
    assert found.headline == "A leads, equal to B within two points and undecided against C"


def test_all_undecided():
    near = {name: ("biological", 0.5 + i / 1000) for i, name in enumerate("ABCDEF")}
    found = verdict(made(near), OK, {})
    assert found.headline == "Undecided: no learner is told apart from the first"
    assert "Against E, D, C and 2 others nothing is decided" in " ".join(found.sentences)


def test_all_equal():
    near = {name: ("biological", 0.5 + i / 1000) for i, name in enumerate("ABC")}
    found = verdict(made(near, width=0.01), OK, {})
    assert found.headline == "All 3 learners are equal within two points"
    assert "nothing is decided" not in " ".join(found.sentences)


def test_alike_scores_are_not_taken_for_equal_learners():
    found = verdict(made(dict.fromkeys("AB", ("engineered", 1.0))), OK, {})
    assert found.headline == "All 2 learners score the same"
    text = " ".join(found.sentences)
    assert "Alike scores on few seeds do not show that learners are equal" in text
    assert "takes 7 further seeds a task" in text
    assert "equal within" not in text


def test_a_first_that_is_worse_where_both_ran_is_said_to_be():
    """On a patchwork of cells the order by mean advantage and a single pair may disagree."""
    board = made({"A": ("biological", 0.9), "B": ("biological", 0.5), "C": ("biological", 0.2)})
    board.pairs["A", "B"] = against(-0.3, 0.1)
    found = verdict(board, OK, {})
    assert found.headline == "A leads, worse than B where both ran"
    assert "Where both ran, it is worse than B." in found.sentences


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "All learners are at their defaults."),
        ({"note": "Tuned trials are not compared."}, "All learners are at their defaults. Tuned trials are not compared."),
        (
            {"arm": "tuned", "k": 16},
            "Each learner is tuned with 16 settings, on validation data; one that has nothing to tune is as it comes.",
        ),
    ],
)
@pytest.mark.parametrize("names", [["MLP"], ["MLP", "Oja"]])
def test_the_arm_that_is_compared_is_named(changes, sentence, names):
    assert sentence in verdict(made({name: STUDIED[name] for name in names}, **changes), OK, {}).sentences


def test_one_learner():
    found = verdict(made({"MLP": ("engineered", 0.9)}), OK, {})
    assert found.headline == "MLP stands alone"
    assert "There is nothing to compare it with." in found.sentences


@pytest.mark.parametrize("outcomes", [{"error": 20, "timeout": 4}, {"crashed": 1}, {"not_applicable": 5}])
def test_nothing_ran_to_its_end(outcomes):
    found = verdict(made(dict.fromkeys("AB", ("engineered", 0.0)), width=0.0), outcomes, {})
    assert found.headline == "No trial gave a result"
    assert not any("scores" in sentence or "ahead" in sentence for sentence in found.sentences)
    assert any("failed" in sentence for sentence in found.sentences) == ("not_applicable" not in outcomes)


def test_nothing_but_controls():
    controls = {"Logistic": ("control", 0.6), "Chance": ("control", 0.0)}
    found = verdict(made(controls), OK, {})
    assert found.headline == "Logistic is better than Chance"
    assert any(sentence.startswith("Only controls were ranked") for sentence in found.sentences)


def test_a_single_seed_establishes_no_order():
    found = verdict(made(STUDIED, width=None), OK, {})
    assert found.headline == "MLP comes first, on too few seeds to say more"
    text = " ".join(found.sentences)
    assert "one seed in some cells, so no interval" in text
    assert "No order is established" in text
    assert "better" not in text
    assert "The best control is Logistic (0.600)." in text
    assert "The best biological learner is Oja (0.500), the best engineered one MLP (0.900)." in text


def test_a_leader_at_chance_is_said_to_be_at_chance():
    found = verdict(made({"A": ("biological", 0.0), "B": ("biological", -0.2)}), OK, {})
    assert "which is not above chance" in " ".join(found.sentences)


def test_a_learner_of_few_cells_is_named_and_does_not_lead():
    found = verdict(made(STUDIED | {"Pitts": ("biological", 1.0)}, unranked=("Pitts",)), OK, {})
    assert found.headline.startswith("MLP ")
    assert "Not ranked, for having taken no more than half of the cells: Pitts." in found.sentences


def test_nobody_took_half_of_the_cells():
    found = verdict(made({"A": ("biological", 1.0)}, unranked=("A",)), OK, {})
    assert found.headline == "No learner took more than half of the cells"


def test_nothing_under_the_standard_protocol():
    assert verdict(Board((), {}, 0, 0), OK, {}).headline == "Nothing can be compared"


def test_failures_are_counted_by_kind():
    found = verdict(made(STUDIED), {"ok": 5, "timeout": 2, "out_of_memory": 1, "not_applicable": 7}, {})
    assert "3 of 8 trials failed (1 out of memory, 2 timeout); they count as chance." in found.sentences


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"held": 3}, "All 3 claims held."),
        ({"held": 1}, "The one claim held."),
        ({"held": 2, "broken": 1}, "Of 3 claims, 2 held, 1 broken."),
        ({"broken": 1, "undecided": 2}, "Of 3 claims, 0 held, 1 broken and 2 undecided."),
    ],
)
def test_claims_are_counted(claims, sentence):
    assert verdict(made(STUDIED), OK, claims).sentences[-1] == sentence


def test_names_in_prose():
    assert [listed(list("ABCDE"[:n])) for n in (1, 2, 4, 5)] == ["A", "A and B", "A, B, C and D", "A, B, C and 2 others"]


def test_numbers_in_prose():
    assert [figure(x) for x in (0.5, -0.25, -0.0001, None)] == ["0.500", "−0.250", "0.000", ""]
    assert [short(x) for x in (None, 14, 0.65234, 9999, 12_345, 4e6, 3.2e9, -2)] == [
        "", "14", "0.6523", "9999", "12.3 k", "4 M", "3.2 G", "−2",
    ]  # fmt: skip
    assert [seconds(x) for x in (None, 0.0123, 12.34)] == ["", "12.3 ms", "12.3 s"]


def test_margins_in_prose():
    assert [points(x) for x in (0.02, 0.01, 0.025, 0.3)] == ["two points", "one point", "2.5 points", "30 points"]


@pytest.mark.parametrize(
    ("needed", "words"),
    [
        ([1], "1 further seed a task"), ([3, 3], "3 further seeds a task"), ([40, 3], "3 to 40 further seeds a task"),
        ([None], "more than 1000 further seeds a task"), ([None, 3], "3 to more than 1000 further seeds a task"),
    ],
)  # fmt: skip
def test_lacking_seeds_in_prose(needed, words):
    assert lacking(needed) == words
