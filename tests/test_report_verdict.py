"""The verdict in words, for every kind of result there can be."""

from __future__ import annotations

import itertools

import pytest

from reports.board import Board, Pair, Standing
from reports.verdict import verdict
from reports.words import figure, listed, seconds, short

WIDTH = 0.02


def made(scores: dict[str, tuple[str, float]], *, width: float | None = WIDTH, unranked: tuple[str, ...] = ()) -> Board:
    """A board of given scores, in which learners are told apart if they differ by more than `width`."""
    ranked = [name for name in scores if name not in unranked]
    pairs = {
        (a, b): Pair(d, None if width is None else (d - width, d + width), 10)
        for a, b in itertools.permutations(ranked, 2)
        for d in [scores[a][1] - scores[b][1]]
    }
    standings = [
        Standing(name, family, score, None if width is None else (score - width, score + width), 10, 30, 0, 1.0,
                 None if name in unranked else (1, len(ranked)))
        for name, (family, score) in scores.items()
    ]  # fmt: skip
    standings.sort(key=lambda s: (s.rank is None, -s.score))
    return Board(tuple(standings), pairs, 10, 1 if width is None else 3)


STUDIED = {"MLP": ("engineered", 0.9), "Oja": ("biological", 0.5), "Logistic": ("control", 0.6)}
OK = {"ok": 90}


def test_one_clear_winner():
    found = verdict(made(STUDIED), OK, {})
    assert found.headline == "MLP is ahead of every other learner"
    text = " ".join(found.sentences)
    assert "MLP scores 0.900 on all 10 cells (95 % interval 0.880 to 0.920)." in text
    assert "It is ahead of Logistic and Oja, beyond the interval of the difference." in text
    assert "The best control is Logistic (0.600): 1 of the 2 learners under study is ahead of it." in text
    assert "The best biological learner, Oja (0.500), is behind the best engineered one, MLP (0.900)" in text
    assert "a difference of −0.400 (−0.420 to −0.380)" in text
    assert "No trial failed." in text


def test_ties_are_named():
    found = verdict(made(STUDIED | {"Attention": ("engineered", 0.89)}), OK, {})
    assert found.headline == "MLP leads, not told apart from Attention"
    assert "It is ahead of Logistic and Oja" in " ".join(found.sentences)


def test_all_tied():
    near = {name: ("biological", 0.5 + i / 1000) for i, name in enumerate("ABCDEF")}
    found = verdict(made(near), OK, {})
    assert found.headline == "None of the 6 learners is told apart from the first"
    assert "includes zero for E, D, C and 2 others." in " ".join(found.sentences)


def test_all_equal():
    found = verdict(made(dict.fromkeys("AB", ("engineered", 1.0)), width=0.0), OK, {})
    assert found.headline == "All 2 learners are equal"


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
    assert found.headline == "Logistic is ahead of every other learner"
    assert any(sentence.startswith("Only controls were ranked") for sentence in found.sentences)


def test_a_single_seed_establishes_no_order():
    found = verdict(made(STUDIED, width=None), OK, {})
    assert found.headline == "MLP comes first, on too few seeds to say more"
    text = " ".join(found.sentences)
    assert "one seed in some cells, so no interval" in text
    assert "No order is established" in text
    assert "ahead of" not in text
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
