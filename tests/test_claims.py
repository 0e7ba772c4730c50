"""Every `decide` on rows made up for it: each verdict that it can give is reached, and the theorems hold as they stand."""

import ast
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.registry import find
from learners import perceptron
from suites.evidence import against, exact_interval, mean_interval, paired, separable, setting, t_interval, with_bias, within
from suites.logic import claims as logic
from suites.logic import tasks as tables
from suites.separable import claims as separable_claims
from suites.shifted import claims as shifted
from suites.shifted import tasks as shifted_tasks
from tests.claim_rows import CLAIMS, SUITES, rows, status

# ---------------------------------------------------------------------- the evidence itself


@pytest.mark.parametrize(("hits", "n", "low", "high"), [(0, 10, 0.0, 0.3085), (10, 10, 0.6915, 1.0), (190, 200, 0.9100, 0.9758)])
def test_exact_interval_known_values(hits, n, low, high):
    assert exact_interval(hits, n) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 60), st.floats(0.02, 0.98))
def test_exact_interval_covers_at_least_what_it_says(n, p):
    covered = 0.0
    for hits in range(n + 1):
        low, high = exact_interval(hits, n)
        assert 0 <= low <= hits / n <= high <= 1
        covered += math.comb(n, hits) * p**hits * (1 - p) ** (n - hits) * (low <= p <= high)
    assert covered >= 0.95 - 1e-9


def test_mean_interval_is_that_of_the_mean():
    values = np.random.default_rng(0).normal(0.65, 0.01, 400)
    low, high = mean_interval(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert mean_interval([0.5, 0.5]) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("low", "high", "bar", "said"), [(0.8, 0.9, 0.8, "held"), (0.7, 0.79, 0.8, "broken"), (0.7, 0.8, 0.8, "undecided")]
)
def test_against(low, high, bar, said):
    assert against(low, high, bar) == said


@given(st.integers(0, 2**32), st.integers(2, 8), st.integers(2, 20))
def test_separable_agrees_with_a_teacher_and_refuses_a_contradiction(seed, N, P):
    rng = np.random.default_rng(seed)
    X, w = rng.standard_normal((P, N)), rng.standard_normal(N)
    sides = X @ w
    kept = np.abs(sides) > 1e-2
    X, y = X[kept], (sides[kept] > 0).astype(int)
    if len(X):
        assert separable(X, y)
        assert not separable(np.concatenate([X, X[:1]]), np.append(y, 1 - y[0]))


@given(st.integers(2, 12), st.integers(0, 2**32))
def test_students_interval_is_that_of_the_t_test(n, seed):
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(seed).normal(0.3, 1, n)
    for level in (0.90, 0.95):
        assert t_interval(values, level) == pytest.approx(ttest_1samp(values, 0).confidence_interval(level))
    assert t_interval(values[:1]) == (-math.inf, math.inf)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-0.01, 0.01, "held"),
        (-0.03, 0.01, "undecided"),
        (-0.01, 0.02, "undecided"),
        (0.02, 0.03, "broken"),
        (-1, -0.02, "broken"),
    ],
)
def test_within(low, high, said):
    assert within(low, high, 0.02) == said


def test_differences_are_of_the_same_seed_whatever_the_order():
    ours = rows(*(dict(replicate=r, score=r / 10) for r in range(5)))
    theirs = rows(*(dict(replicate=r, score=r / 10 - 0.1) for r in (4, 2, 0, 3, 9)))
    assert paired(ours, theirs) == pytest.approx([0.1] * 4)


def test_a_setting_is_found_where_it_is_at_its_default():
    frame = rows(dict(learner="Backprop"), dict(learner="Backprop", params=dict(depth=5)), dict(learner="Logistic"))
    assert setting(frame, "depth") == [2, 5, None]


def test_with_bias_separates_what_no_plane_through_zero_does():
    X, y = np.array([[1.0], [2.0]]), np.array([0, 1])
    assert not separable(X, y)
    assert separable(with_bias(X), y)


# ---------------------------------------------------------------------- the claims as objects


def test_claims_are_complete_and_named_apart():
    for name, claim in CLAIMS.items():
        assert claim.text.endswith("."), name
        assert claim.source, name
        assert claim.since in {"smoke", "quick", "full"}
    for module in SUITES.values():
        ids = [claim.id for claim in module.CLAIMS]
        assert len(set(ids)) == len(ids)


def test_needs_name_tasks_and_rungs_that_exist():
    from importlib import import_module

    tasks = {task.name: task for suite in SUITES for task in import_module(f"suites.{suite}.tasks").TASKS}
    for name, claim in CLAIMS.items():
        for need in claim.needs:
            task = tasks[need.task]
            assert need.task.startswith(name.partition("/")[0])
            assert need.replicates >= 1
            assert set(need.difficulty) == ({task.ladder.axis} if task.ladder and task.ladder.of == "task" else set())
            task.generate(40, 8, 40, np.random.default_rng(0), **need.difficulty)


def test_needs_name_learners_and_settings_that_exist():
    found = find()
    for claim in CLAIMS.values():
        for word in {need.learner for need in claim.needs}:
            assert found.choose([word])


@pytest.mark.parametrize("name", [n for n, c in CLAIMS.items() if c.needs])
def test_nothing_is_decided_on_a_learner_that_cannot_take_the_task(name):
    first = CLAIMS[name].needs[0]
    frame = rows(dict(outcome="not_applicable", reason="takes no sequence", score=None, n_test=None), task=first.task)
    verdict = CLAIMS[name].decide(frame)
    assert verdict.status != "held"


# ---------------------------------------------------------------------- logic


def sixteen(**scores):
    return rows(*(dict(task=f"logic/{n}", score=scores.get(n, 0.75 if n in {"xor", "xnor"} else 1.0)) for n in tables.NAMES))


def test_the_fourteen():
    claim = "logic/perceptron-learns-the-14"
    assert status(claim, sixteen()) == "held"
    assert CLAIMS[claim].decide(sixteen()).figure == 14
    assert status(claim, sixteen(nand=0.75)) == "broken"
    assert status(claim, sixteen(xor=1.0)) == "broken"
    assert status(claim, pd.concat([sixteen(), sixteen(**{"or": 0.75})], ignore_index=True)) == "broken"
    assert status(claim, rows()) == "undecided"


def test_textbook_and():
    claim = "logic/textbook-and"
    assert status(claim, rows(*[{}] * 1000)) == "held"
    assert status(claim, rows(*[{}] * 999, dict(score=0.75))) == "broken"
    assert status(claim, rows()) == "undecided"


@pytest.mark.parametrize(
    ("learnt", "said"), [(200, "held"), (197, "held"), (196, "undecided"), (185, "undecided"), (150, "broken")]
)
def test_mlp_xor(learnt, said):
    verdict = CLAIMS["logic/mlp-xor-200"].decide(rows(*[{}] * learnt, *[dict(score=0.75)] * (200 - learnt)))
    assert verdict.status == said
    assert verdict.figure == learnt / 200
    assert verdict.interval[0] <= verdict.figure <= verdict.interval[1]


def test_a_run_that_diverged_learnt_nothing():
    verdict = CLAIMS["logic/mlp-xor-200"].decide(rows(*[{}] * 100, *[dict(score=None, outcome="diverged")] * 100))
    assert (verdict.status, verdict.figure) == ("broken", 0.5)


def map_of_xor(linear=0.75, wide=1.0):
    """Rows as a plan makes them: what is at its default, as relu is, does not stand in `params`."""
    records = []
    for activation in logic.ACTIVATIONS:
        for hidden in logic.WIDTHS:
            params = dict(hidden=hidden, block=4) | (dict(activation=activation) if activation != "relu" else {})
            score = [linear] * 20 if activation == "linear" else [wide] * 20 if hidden == 16 else [0.75, 1.0] * 10
            records += [dict(params=params, score=s) for s in score]
    return rows(*records)


def test_the_map_of_xor():
    assert status("logic/xor-map", map_of_xor()) == "held"
    assert status("logic/xor-map", map_of_xor(linear=1.0)) == "broken"
    assert status("logic/xor-map", map_of_xor(wide=0.75)) == "broken"
    assert "worse" in CLAIMS["logic/xor-map"].decide(map_of_xor(wide=0.75)).reason
    assert status("logic/xor-map", rows()) == "undecided"


def test_the_net_of_threshold_cells_is_complete(monkeypatch):
    verdict = CLAIMS["logic/mcculloch-pitts-complete"].decide(rows())
    assert (verdict.status, verdict.figure) == ("held", 4 + 16 + 256 + 65536)
    whole = logic.mcculloch_pitts
    monkeypatch.setattr(logic, "mcculloch_pitts", lambda cells: whole(cells // 4))
    assert status("logic/mcculloch-pitts-complete", rows()) == "broken"


def test_parity_by_construction(monkeypatch):
    assert status("logic/parity-constructed", rows()) == "held"
    monkeypatch.setattr(logic, "threshold_parity", lambda X: X.sum(1) >= 1)
    assert status("logic/parity-constructed", rows()) == "broken"


def test_parity_found():
    found = [dict(difficulty=dict(n=n), score=s) for n in (2, 3, 4) for s in (0.5, 1.0)]
    assert status("logic/parity-n-hidden", rows(*found)) == "held"
    assert status("logic/parity-n-hidden", rows(*found[:-1])) == "broken"
    assert status("logic/parity-n-hidden", rows()) == "undecided"


# ---------------------------------------------------------------------- separable


def test_covers_law_in_closed_form():
    law = separable_claims.separable_share
    assert law(20, 10) == 0.5
    assert [round(law(P, 10), 4) for P in (12, 15, 25, 30)] == [0.9941, 0.9102, 0.1537, 0.0307]
    assert law(5, 10) == 1.0


def test_cover_holds_and_can_break(monkeypatch):
    monkeypatch.setattr(separable_claims, "DRAWS", 100)
    assert status("separable/cover", rows()) == "held"
    monkeypatch.setattr(separable_claims, "separable", lambda X, y: separable(X[:, 1:], y))
    assert status("separable/cover", rows()) == "broken"


def test_novikoff_holds():
    verdict = CLAIMS["separable/novikoff"].decide(rows())
    assert verdict.status == "held"
    assert 0 < verdict.figure <= 1
    assert isinstance(verdict.figure, float)


def always(target, signal, W, b, y):
    side = 2 * target[0, 0] - 1
    W[0] += side * signal[0]
    b[0] += side


MUTANTS = dict(
    backwards=lambda target, signal, W, b, y: perceptron.learn(target, signal, W, b, y, -1.0, False),
    half_steps=lambda target, signal, W, b, y: perceptron.learn(target, signal, W, b, y, 0.5, False),
    triple_steps=lambda target, signal, W, b, y: perceptron.learn(target, signal, W, b, y, 3.0, False),
    no_bias=lambda target, signal, W, b, y: perceptron.learn(target, signal, W, b * 0, y, 1.0, False),
    never=lambda target, signal, W, b, y: None,
    always=always,
)


@pytest.mark.parametrize("name", MUTANTS)
def test_novikoff_breaks_for_a_wrong_rule(name, monkeypatch):
    def learn(target, signal, W, b, y):
        MUTANTS[name](target, signal, W, b, y)

    twin = type(f"Perceptron_{name}", (perceptron.Perceptron,), dict(learn=learn, __module__=__name__))
    monkeypatch.setattr(separable_claims, "perceptron", lambda: twin(bits=64))
    assert status("separable/novikoff", rows()) == "broken"


@pytest.mark.parametrize(("distance", "error"), [(1.0, 0.30854), (2.0, 0.15866), (3.0, 0.06681)])
def test_bayes_error_known_values(distance, error):
    assert separable_claims.bayes_error(distance) == pytest.approx(error, abs=1e-5)


def test_bayes():
    one = dict(difficulty=dict(distance=2.0), n_test=2000)
    assert status("separable/bayes", rows(dict(score=0.84), dict(score=0.7), dict(score=0.87), **one)) == "held"
    assert status("separable/bayes", rows(dict(score=0.84), dict(score=0.88), **one)) == "broken"
    assert status("separable/bayes", rows()) == "undecided"
    assert "MLP" in CLAIMS["separable/bayes"].decide(rows(dict(score=0.88), **one)).reason


# ---------------------------------------------------------------------- shifted


def test_equal_counts():
    good = rows(dict(score=0.9), dict(score=0.75), task="shifted/equal")
    assert status("shifted/equal-counts-inseparable", good) == "held"
    assert status("shifted/equal-counts-inseparable", good.assign(score=1.0)) == "broken"


def test_unequal_counts():
    good = rows(dict(score=1.0), task="shifted/unequal")
    assert status("shifted/unequal-counts-separable", good) == "held"
    assert status("shifted/unequal-counts-separable", good.assign(score=0.97)) == "broken"


def test_a_generator_without_its_theorem_breaks_the_claim(monkeypatch):
    monkeypatch.setattr(shifted, "equal", shifted_tasks.unequal)
    monkeypatch.setattr(shifted, "unequal", shifted_tasks.equal)
    assert status("shifted/equal-counts-inseparable", rows(dict(score=0.9))) == "broken"
    assert status("shifted/unequal-counts-separable", rows(dict(score=1.0))) == "broken"


def test_checksums(monkeypatch):
    assert status("shifted/mnist1d-checksums", rows()) == "held"
    X, y = shifted_tasks.published()
    monkeypatch.setattr(shifted, "published", lambda: (X, y[::-1]))
    assert status("shifted/mnist1d-checksums", rows()) == "broken"


@pytest.mark.parametrize(
    ("claim", "inside", "below", "above"),
    [
        ("shifted/mnist1d-logistic", 0.315, 0.29, 0.35),
        ("shifted/mnist1d-mlp", 0.65, 0.62, 0.71),
        ("shifted/mnist1d-shuffled-mlp", 0.66, 0.62, 0.71),
        ("images/diehl-cook-mnist", 0.78, 0.73, None),
    ],
)
def test_published_figures(claim, inside, below, above):
    def ten(mean):
        return rows(*(dict(score=mean + d / 1000) for d in (-2, 2, 0)))

    verdict = CLAIMS[claim].decide(ten(inside))
    assert verdict.status == "held"
    assert verdict.figure == pytest.approx(inside)
    assert verdict.interval[0] < inside < verdict.interval[1]
    assert status(claim, ten(below)) == "broken"
    assert above is None or status(claim, ten(above)) == "broken"
    assert CLAIMS[claim].published
    assert status(claim, rows()) == "undecided"


# ---------------------------------------------------------------------- sequence


def lags(within=1.0, beyond=0.5):
    return rows(*(dict(difficulty=dict(lag=lag), score=within if lag < 8 else beyond) for lag in (1, 7, 8, 16) for _ in range(3)))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (lags(), "held"),
        (lags(within=0.99), "undecided"),
        (lags(within=0.9), "broken"),
        (lags(beyond=0.6), "broken"),
        (lags(beyond=0.4), "broken"),
        (lags(beyond=0.51), "held"),
        (rows(), "undecided"),
    ],
)
def test_the_window(frame, said):
    assert status("sequence/window-sees-only-k", frame) == said


def test_attention_is_flat():
    def frame(*scores):
        return rows(*(dict(difficulty=dict(lag=lag), score=s) for lag, s in zip((1, 4, 16), scores, strict=True)))

    claim = "sequence/attention-flat-in-lag"
    assert status(claim, frame(1.0, 1.0, 0.995)) == "held"
    assert status(claim, frame(1.0, 1.0, 0.975)) == "undecided"
    assert status(claim, frame(1.0, 1.0, 0.5)) == "broken"
    assert status(claim, frame(0.5, 0.5, 0.5)) == "broken"
    assert status(claim, rows()) == "undecided"


def test_the_spiking_row():
    frame = rows(*(dict(difficulty=dict(lag=lag), score=0.5) for lag in (1, 4, 16)))
    claim = "sequence/spiking-row-is-there"
    assert status(claim, frame) == "held"
    assert status(claim, frame.assign(outcome=["ok", "diverged", "ok"])) == "held"
    assert status(claim, frame.assign(outcome=["ok", "timeout", "ok"])) == "broken"
    assert status(claim, rows()) == "broken"


def test_four_learners():
    frame = rows(*(dict(learner=f"L{i}", difficulty=dict(lag=lag)) for lag in (1, 4) for i in range(4)))
    claim = "sequence/four-learners-on-each-rung"
    assert status(claim, frame) == "held"
    assert status(claim, frame.iloc[:-1]) == "broken"
    assert status(claim, frame.assign(outcome=["ok"] * 4 + ["not_applicable"] * 4)) == "broken"
    assert status(claim, rows()) == "broken"


# ---------------------------------------------------------------------- images


@pytest.mark.parametrize(("score", "said"), [(0.7, "held"), (0.12, "undecided"), (0.05, "broken")])
def test_above_chance(score, said):
    assert status("images/diehl-cook-digits-above-chance", rows(dict(score=score, chance=0.103, n_test=397))) == said


# ---------------------------------------------------------------------- house


def test_suites_import_nothing_heavy_at_the_top():
    heavy = {"scipy", "sklearn", "mnist1d", "mlxtend", "pandas", "numba", "matplotlib", "seaborn"}
    for path in Path(logic.__file__).parent.parent.rglob("*.py"):
        if not path.name.startswith("test_"):
            for node in ast.parse(path.read_text()).body:
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "") or ""]
                assert not heavy & {name.partition(".")[0] for name in names}, (path, names)
