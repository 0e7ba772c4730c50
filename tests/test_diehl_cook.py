"""DiehlCook against its definition: a naive twin, sums over pairs of spikes, closed forms, statistics of its input."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.learner import Sizes
from learners import diehl_cook, spiking
from learners.diehl_cook import DiehlCook

# The article's constants, written once more, by hand
REST, RESET, THRESHOLD, REVERSAL, TAU = (-65.0, -60.0), (-65.0, -45.0), (-72.0, -40.0), (-100.0, -85.0), (100.0, 10.0)
REFRACTORY = 5.0, 2.0


def made(n=6, n_out=3, low=0.0, high=1.0, ticks=1, **params):
    params = dict(bits=64, units=4, image=60.0, gap=10.0, tries=1) | params
    return DiehlCook(**params).begin(Sizes((n,), n_out, ticks, 1, low, high))


def recorded(learner, X, *, plastic, trains=None):
    """Live through X (m, n) as Python; the spikes of x while shown, of e and i at every step, x as `held`; and the answers.

    With `trains` = (x, e), (steps, .) each, input and excitatory neurons spike as told, and inhibitory ones not at all.
    """
    n, spikes = learner.arrays()["x"].size, dict(x=[], e=[], i=[], held=[])
    excited = learner.layout_.arrays["e"]
    due, fire = spiking.due, spiking.fire

    def spying_due(t, miss, head, link, fired, noise, stream):
        count = due(t, miss, head, link, fired, noise, stream)
        if trains:
            told = np.flatnonzero(trains[0][t])
            count = told.size
            fired[:count] = told
        spikes["x"].append(np.bincount(fired[:count], minlength=n))
        return count

    def spying_fire(v, raised, age, cell, s):
        count = fire(v, raised, age, cell, s)
        name = "e" if s is excited else "i"
        if name == "e":
            spikes["held"].append(learner.arrays()["x"].copy())
        if trains:
            t = len(spikes[name])
            s[:] = trains[1][t] if name == "e" and t < len(trains[1]) else 0
            count = s.sum()
        spikes[name].append(s.copy())
        return count

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diehl_cook, "due", spying_due)
        patch.setattr(diehl_cook, "fire", spying_fire)
        out = learner.live(np.asarray(X, float)[:, None], plastic=plastic, python=True)
    return {name: np.array(rows) for name, rows in spikes.items()}, out[:, 0]


class Twin:
    """The model as the article tells it: every neuron at every step, with arrays, times of spikes instead of traces."""

    def __init__(self, learner):
        p = self.p = learner.get_params()
        self.W = learner.arrays()["W"].copy()
        N, n = self.W.shape
        self.theta, self.g, self.h = np.full(N, 20.0), np.zeros((2, N)), np.zeros((2, N))
        self.v = np.array([np.full(N, REST[0]), np.full(N, REST[1])])
        self.last, self.last_x, self.now = np.full((2, N), -np.inf), np.full(n, -np.inf), 0
        self.goal, self.gain = p["mean"] * n, 784 / n

    def step(self, x, plastic):
        """One step, in which the inputs x (n,) spike; the spikes of the excitatory and of the inhibitory neurons."""
        p, dt, spikes = self.p, self.p["dt"], []
        self.now += 1
        since = (self.now - self.last) * dt
        for c in 0, 1:
            drive, leakage = REST[c] + self.h[c] * REVERSAL[c], 1 + self.g[c] + self.h[c]
            self.v[c] = (self.v[c] + dt / TAU[c] * drive) / (1 + dt / TAU[c] * leakage)
            self.v[c][since[c] <= REFRACTORY[c]] = RESET[c]
        self.g *= math.exp(-dt / 1)
        self.h *= math.exp(-dt / 2)
        for c in 0, 1:
            silent = max(REFRACTORY[c], p["lockout"] if c == 0 else 0)
            s = (self.v[c] > THRESHOLD[c] + (self.theta if c == 0 else 0)) & (since[c] > silent)
            self.v[c][s] = RESET[c]
            spikes.append(s)
        e, i = spikes
        self.g[0] += self.W @ x * self.gain
        self.g[1] += p["excitation"] * e
        self.h[0] += p["inhibition"] * (np.ones((i.size, i.size)) - np.eye(i.size)) @ i
        if plastic:
            down = p["rate"] * p["depression"] * np.exp(-since[0] / 20)
            self.W = np.where(x > 0, np.maximum(self.W - down[:, None], 0), self.W)
        self.last_x[x > 0] = self.now
        if plastic:
            up = p["rate"] * np.exp(-since[0] / 40)[:, None] * np.exp(-(self.now - self.last_x) * dt / 20)
            self.W = np.where(e[:, None], np.minimum(self.W + up, 1), self.W)
            self.theta = self.theta + p["lift"] * e
        for c in 0, 1:
            self.last[c][spikes[c]] = self.now
        return spikes

    def show(self, lists, steps, plastic):
        """One signal, whose input spikes are `lists` (shown steps, n)."""
        if plastic:
            sums = self.W.sum(axis=1, keepdims=True)
            self.W = np.where(abs(sums - self.goal) > 1e-4 * self.goal, np.minimum(self.W * (self.goal / sums), 1), self.W)
            self.theta = self.theta * math.exp(-steps * self.p["dt"] / 1e7)
        quiet = np.zeros(lists.shape[1])
        return [self.step(lists[t] if t < len(lists) else quiet, plastic) for t in range(steps)]


@pytest.mark.parametrize("plastic", [True, False])
@pytest.mark.parametrize("lockout", [5.0, 20.0])
def test_equals_a_naive_twin_spike_for_spike(plastic, lockout):
    learner = made(n=12, units=7, image=150.0, gap=30.0, rate=0.05, depression=0.1, lockout=lockout)
    X = np.random.default_rng(1).uniform(0.2, 1, (4, 12))
    twin = Twin(learner)
    spikes, _ = recorded(learner, X, plastic=plastic)
    shown = len(spikes["x"]) // 4
    expected = [both for m in range(4) for both in twin.show(spikes["x"][m * shown : (m + 1) * shown], 360, plastic)]
    held = spikes["held"].reshape(4, 360, 12)
    assert np.array_equal(held[:, :300], spikes["x"].reshape(4, 300, 12))
    assert not held[:, 300:].any()
    assert np.array_equal(spikes["e"], [e for e, _ in expected])
    assert np.array_equal(spikes["i"], [i for _, i in expected])
    assert spikes["e"].sum() > 20
    assert spikes["i"].sum() > 20
    state = learner.arrays()
    np.testing.assert_allclose(state["W"], twin.W, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(state["raised"], twin.theta, rtol=1e-12)


# ---------------------------------------------------------------- plasticity


def change(x, e, **params):
    """What trains of spikes x (steps, n) and e (steps, N) make of W, from 0.25: out of reach of 0, 1 and normalisation."""
    learner = made(n=x.shape[1], units=e.shape[1], mean=0.25, image=len(x) * 0.5, gap=0.0, rate=1e-3, depression=0.3, **params)
    learner.arrays()["W"][:] = 0.25
    recorded(learner, np.ones((1, x.shape[1])), plastic=True, trains=(x, e))
    return learner.arrays()["W"] - 0.25


trains = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).random((80, 5)) < 0.15)


@given(trains)
def test_traces_equal_the_sum_over_pairs_of_spikes(spikes):
    x, e = spikes[:, :3], spikes[:, 3:]
    expected = np.zeros((2, 3))
    for j in range(2):
        for k in range(3):
            posts, pres = np.flatnonzero(e[:, j]), np.flatnonzero(x[:, k])
            for before, post in itertools.pairwise(posts):
                for pre in pres[pres <= post][-1:]:
                    expected[j, k] += 1e-3 * math.exp(-(post - pre) / 40) * math.exp(-(post - before) / 80)
            for pre in pres:
                for post in posts[posts < pre][-1:]:
                    expected[j, k] -= 3e-4 * math.exp(-(pre - post) / 40)
    np.testing.assert_allclose(change(x, e), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("pre", [5, 10, 15, 29, 30, 31, 50])
def test_window_of_one_input_spike_round_two_spikes_of_a_neuron(pre):
    """The neuron spikes at 5 and 15 ms. Its first spike finds no trace of its own; in one step, the input comes first."""
    x, e = np.zeros((60, 1)), np.zeros((60, 1))
    x[pre], e[[10, 30]] = 1, 1
    up = 1e-3 * math.exp(-(30 - pre) / 40) * math.exp(-20 / 80) if pre <= 30 else 0.0
    down = 3e-4 * math.exp(-(pre - (30 if pre > 30 else 10)) / 40) if pre > 10 else 0.0
    assert change(x, e)[0, 0] == pytest.approx(up - down, abs=1e-15)


def test_nothing_plastic_changes_nothing_but_activity():
    learner = made(n=8, units=5)
    before = learner.layout_.copy()
    spikes, _ = recorded(learner, np.ones((3, 8)), plastic=False)
    assert spikes["e"].sum() > 0
    after = learner.arrays()
    for name in "W", "raised", "votes", "seen", "label", "cells", "keep":
        assert np.array_equal(before[name], after[name]), name


def test_without_a_rate_only_thresholds_move():
    learner = made(n=8, units=5, rate=0.0, bits=32)
    before = learner.layout_.copy()
    learner.live(np.ones((20, 1, 8)), plastic=True)
    assert np.array_equal(before["W"], learner.arrays()["W"])
    assert (learner.arrays()["raised"] > 20).any()


@given(rate=st.floats(0, 1), depression=st.floats(0, 1), seed=st.integers(0, 99), low=st.sampled_from([0.0, -1.0]))
def test_weights_stay_in_bounds_and_sums_are_restored(rate, depression, seed, low):
    learner = made(n=5, low=low, rate=rate, depression=depression, random_state=seed, image=30.0)
    X = np.random.default_rng(seed).uniform(low, 1, (3, 1, 5))
    W = learner.arrays()["W"]
    goal = 0.1 * W.shape[1]
    np.testing.assert_allclose(W.sum(axis=1), goal, rtol=1e-12)
    learner.live(X, plastic=True)
    assert W.min() >= 0
    assert W.max() <= 1
    spiking.normalise(W, goal)
    sums = W.sum(axis=1)
    assert W.max() <= 1
    assert (sums <= goal * (1 + 1e-4)).all()
    assert ((sums > goal * (1 - 1e-4)) | (W.max(axis=1) == 1) | (sums < 1e-12)).all()


def test_thresholds_rise_by_the_spike_and_fade_by_the_image():
    learner = made(n=8, units=5, lift=0.3, image=350.0, gap=150.0)
    spikes, _ = recorded(learner, np.ones((1, 8)), plastic=True)
    expected = 20 * math.exp(-500 / 1e7) + 0.3 * spikes["e"].sum(axis=0)
    np.testing.assert_allclose(learner.arrays()["raised"], expected, rtol=1e-12)


# ---------------------------------------------------------------- neurons


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("g", [0.05, 0.24, 0.26, 0.5, 0.7, 2.0, 20.0])
def test_period_under_a_constant_conductance_follows_the_closed_form(which, g):
    """v approaches (rest + g 0) / (1 + g) by the factor 1 / (1 + dt / tau (1 + g)) a step, once the refractory time is over."""
    learner = made(lockout=0.0)
    cell, lifted = learner.arrays()["cells"][which], np.array([20.0 if which == 0 else 0.0])
    v, age, s, nothing = np.array([RESET[which]]), np.array([1e6]), np.zeros(1), np.zeros(1)
    at = []
    for t in range(4000):
        spiking.leak(v, np.array([g]), nothing, age, cell)
        if spiking.fire(v, lifted, age, cell, s):
            at.append(t)
    bar, limit = THRESHOLD[which] + lifted[0], REST[which] / (1 + g)
    if limit <= bar:
        assert not at
        return
    climb = math.log((RESET[which] - limit) / (bar - limit)) / math.log(1 + 0.5 / TAU[which] * (1 + g))
    assert abs(climb - round(climb)) > 1e-6, "choose a g whose step of crossing does not hang on rounding"
    assert set(np.diff(at)) == {REFRACTORY[which] / 0.5 + math.floor(climb) + 1}


@given(lockout=st.floats(0, 60), seed=st.integers(0, 99))
def test_a_neuron_is_silent_for_the_lockout(lockout, seed):
    learner = made(n=4, units=3, lockout=lockout, inhibition=1.0, random_state=seed, hertz=400.0, image=120.0)
    spikes, _ = recorded(learner, np.ones((1, 4)), plastic=True)
    silent = {"e": round(max(lockout, 5) / 0.5), "i": 4}
    for name, steps in silent.items():
        for train in spikes[name].T:
            assert (np.diff(np.flatnonzero(train)) > steps).all()
    assert spikes["e"].sum() > 0


def test_a_partner_silences_all_but_its_own_neuron():
    counts = {}
    for units in 1, 6:
        for inhibition in 0.0, 17.0:
            learner = made(n=40, units=units, inhibition=inhibition, image=350.0)
            spikes, _ = recorded(learner, np.full((1, 40), 0.6), plastic=False)
            counts[units, inhibition] = spikes["e"].sum()
            assert spikes["i"].sum() > 0
    assert counts[1, 0.0] == counts[1, 17.0]
    assert counts[6, 17.0] < counts[6, 0.0] / 2


# ---------------------------------------------------------------- input


def raster(x, n, steps, chance, seed=0):
    """Input spikes (steps, n) that the calendar gives for signals x."""
    miss, head, link, fired = np.zeros(n), np.zeros(steps, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    noise, rows = np.array([seed], np.uint64), np.zeros((steps, n), bool)
    with np.errstate(over="ignore"):
        spiking.encode(np.asarray(x, float), chance, miss)
        spiking.schedule(miss, head, link, noise, 0)
        for t in range(steps):
            count = spiking.due(t, miss, head, link, fired, noise, 0)
            assert len(set(fired[:count])) == count
            rows[t, fired[:count]] = True
    return rows


def test_input_is_bernoulli_at_the_right_rate():
    x = np.array([0.0, 1e-3, 0.05, 0.3, 0.8, 1.0])
    rows, p = raster(x, 6, 20_000, 0.5), 0.5 * x
    sd = np.sqrt(np.maximum(p * (1 - p), 1e-300) / len(rows))
    assert (abs(rows.mean(axis=0) - p) < 4 * sd).all()
    assert not rows[:, 0].any()
    assert abs(rows[:5].mean() - p.mean()) < 4 * np.sqrt((p * (1 - p)).sum() / 5) / 6, "the first steps are like the others"
    for k in range(2, 6):
        waits = np.diff(np.flatnonzero(rows[:, k]))
        for w in 1, 2, 3, 8:
            q = p[k] * (1 - p[k]) ** (w - 1)
            assert abs((waits == w).mean() - q) < 4 * math.sqrt(q * (1 - q) / len(waits)) + 1 / len(waits)
    for k in range(2, 6):  # successive steps, and any two inputs, are independent
        a = rows[:, k] - p[k]
        z = (a[1:] * a[:-1]).mean() / (p[k] * (1 - p[k])) * math.sqrt(len(a) - 1)
        assert abs(z) < 4
        for m in range(k + 1, 6):
            b = rows[:, m] - p[m]
            assert abs((a * b).mean() / math.sqrt(p[k] * (1 - p[k]) * p[m] * (1 - p[m])) * math.sqrt(len(a))) < 4


def test_a_value_with_a_sign_has_an_input_for_each():
    rows = raster([0.5, -0.5, 0.0], 6, 2000, 0.4)
    assert not rows[:, [1, 2, 3, 5]].any()
    assert (abs(rows[:, [0, 4]].mean(axis=0) - 0.2) < 4 * math.sqrt(0.16 / 2000)).all()


@pytest.mark.parametrize(("low", "high", "top"), [(0, 1, 1), (0, 16, 16), (-3, 1, -3), (-1, 4, 4), (0, 0, 1)])
def test_the_highest_signal_gives_the_rate_in_hertz(low, high, top):
    learner = made(n=50, low=low, high=high, image=1000.0, gap=0.0, hertz=100.0)
    spikes, _ = recorded(learner, np.full((1, 50), top), plastic=False)
    p = 100 * 0.5 / 1000
    assert abs(spikes["x"].sum() - 50 * 2000 * p) < 4 * math.sqrt(50 * 2000 * p * (1 - p))


def test_a_faint_signal_is_shown_again_and_brighter():
    chances = []

    def spying_encode(x, chance, miss):
        chances.append(chance)
        spiking.encode(x, chance, miss)

    learner = made(n=8, tries=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diehl_cook, "encode", spying_encode)
        out = learner.live(np.zeros((1, 1, 8)), plastic=True, python=True)
        np.testing.assert_allclose(np.array(chances) / chances[0], [1, 1.5, 2, 2.5], rtol=1e-12)
        assert not out.any()
        chances.clear()
        learner.live(np.ones((1, 1, 8)), plastic=True, python=True)
        assert learner.arrays()["tally"].sum() >= 5
        assert len(chances) == 1


def test_spikes_in_the_gap_are_not_counted():
    learner, late = made(n=8, hertz=500.0, lockout=0.0), 0
    for _ in range(20):
        spikes, _ = recorded(learner, np.ones((1, 8)), plastic=False)
        assert np.array_equal(learner.arrays()["tally"], spikes["e"][:120].sum(axis=0))
        late += spikes["e"][120:].sum()
    assert late > 0


def test_the_end_of_the_tries_leaves_what_the_last_one_gave():
    learner = made(n=8, units=2, tries=3, mean=0.01)
    spikes, _ = recorded(learner, np.full((1, 8), 0.05), plastic=False)
    assert len(spikes["e"]) == 3 * 140
    last = spikes["e"][2 * 140 : 2 * 140 + 120]
    assert np.array_equal(learner.arrays()["tally"], last.sum(axis=0))


# ---------------------------------------------------------------- read-out


def test_a_neuron_stands_for_the_class_that_moves_it_most_on_average():
    learner = made(n_out=3, units=4)
    votes, seen, label = (learner.arrays()[name] for name in ("votes", "seen", "label"))
    told = [(0, [4, 0, 2, 0]), (1, [3, 0, 2, 0]), (1, [2, 2, 2, 0]), (1, [1, 1, 2, 0])]
    for true, tally in told:
        diehl_cook.learn(np.eye(3)[[true]], np.array(tally, float), votes, seen, label)
    assert label.tolist() == [0, 1, 0, -1]
    assert seen.tolist() == [1, 3, 0]
    assert votes.tolist() == [[4, 0, 2, 0], [6, 3, 6, 0], [0] * 4]
    out = np.full(3, 9.0)
    diehl_cook.answer(out, np.array([4.0, 1.0, 7.0, 50.0]), label)
    assert out.tolist() == [5.5, 1.0, 0.0]


def test_two_classes_are_one_output_above_or_below_zero():
    learner = made(n_out=1, units=3)
    votes, seen, label = (learner.arrays()[name] for name in ("votes", "seen", "label"))
    for target, tally in (0.0, [5, 0, 0]), (1.0, [1, 4, 2]):
        diehl_cook.learn(np.array([[target]]), np.array(tally, float), votes, seen, label)
    assert label.tolist() == [0, 1, 1]
    out = np.zeros(1)
    diehl_cook.answer(out, np.array([1.0, 4.0, 6.0]), label)
    assert out.tolist() == [4.0]


def blobs(seed, n=120):
    rng = np.random.default_rng(seed)
    centres = np.kron(np.eye(3), np.ones(6))
    y = rng.integers(3, size=n)
    return np.clip(centres[y] * 0.8 + rng.uniform(0, 0.3, (n, 18)), 0, 1), y


def test_labels_name_neurons_and_change_no_synapse():
    X, y = blobs(0)
    one, two = (
        DiehlCook(units=10, image=100.0, gap=50.0).fit(X, labels) for labels in (y, np.random.default_rng(1).permutation(y))
    )
    for name in "W", "raised", "tally", "noise":
        assert np.array_equal(one.arrays()[name], two.arrays()[name]), name
    assert not np.array_equal(one.arrays()["votes"], two.arrays()["votes"])


@pytest.mark.parametrize("bits", [32, 64])
def test_it_finds_classes_that_it_was_never_told(bits):
    X, y = blobs(0)
    learner = DiehlCook(units=12, bits=bits, epochs=2, rate=0.05).fit(X, y)
    assert learner.score(*blobs(1)) > 0.9
    W, centres = learner.arrays()["W"], np.kron(np.eye(3), np.ones(6))
    label = learner.arrays()["label"]
    assert set(label) >= {0, 1, 2}
    inside = np.array([W[j] @ centres[c] / W[j].sum() for j, c in enumerate(label) if c >= 0])
    assert inside.mean() > 0.5, "at first, a third of a neuron's weight is on the inputs of any class"


def test_a_sequence_is_one_signal_after_another_each_shown_once():
    X, y = blobs(0, 30)
    together = np.stack([X, X[::-1]], axis=1)
    learner = DiehlCook(units=5, tick=60.0, shuffle=False).fit(together, y)
    alone = DiehlCook(units=5, image=60.0, gap=0.0, tries=1).begin(Sizes((18,), 3, 1, 1, X.min(), X.max()))
    alone.live(together.reshape(60, 1, 18), plastic=True)
    assert np.array_equal(learner.arrays()["W"], alone.arrays()["W"])
    assert learner.arrays()["seen"].sum() == 30


# ---------------------------------------------------------------- forms and counts


@given(
    seed=st.integers(0, 2**16), n=st.integers(1, 9), units=st.integers(1, 6), n_out=st.sampled_from([1, 3]),
    low=st.sampled_from([0.0, -2.0]), dt=st.sampled_from([0.25, 0.5, 1.0]), plastic=st.booleans(),
)  # fmt: skip
def test_compiled_equals_python_bit_for_bit(seed, n, units, n_out, low, dt, plastic):
    learner = made(n, n_out, low, dt=dt, units=units, random_state=seed, tries=3, image=40.0, rate=0.1)
    X = np.random.default_rng(seed).uniform(low, 1, (2, 1, n))
    Y = np.ones((2, 1, n_out))
    a, b = learner.fork(), learner.fork()
    out = [twin.live(X, Y, plastic=plastic, python=python) for twin, python in ((a, False), (b, True))]
    assert np.array_equal(*out)
    for name, array in a.arrays().items():
        assert np.array_equal(array, b.arrays()[name]), name


def test_events_count_what_happened():
    learner = made(n=8, units=5, image=100.0, rate=0.0, lift=0.0)
    spikes = recorded(learner, np.ones((2, 8)), plastic=False)[0]
    x, e, i = (int(spikes[name].sum()) for name in "xei")
    assert min(x, e, i) > 0
    steps = 2 * 220
    assert learner.arrays()["events"].tolist() == [5 * x + e + 4 * i, x + e + i, steps * (8 + 7 * 5), 0]
    learner = made(n=8, units=5, image=100.0, rate=0.0)
    learner.arrays()["W"][0] *= 0.5
    spikes = recorded(learner, np.ones((1, 8)), plastic=True)[0]
    marked = np.cumsum(spikes["e"], axis=0) - spikes["e"] > 0  # a neuron that spiked earlier has a trace, which an input meets
    met = (spikes["x"].sum(axis=1) * marked[: len(spikes["x"])].sum(axis=1)).sum()
    assert met > 0
    assert learner.arrays()["events"][3] == 8 + met + 8 * spikes["e"].sum(), "one row is scaled to its sum"


def test_a_trace_tells_the_order_within_a_step():
    learner = made(n=8, image=60.0)
    events = learner.probe(np.ones((1, 8)), trace=True).trace
    assert all(set(event.vector) <= {0, 1} for event in events if event.kind == "spike")
    names = [event.name for event in events]
    first = names.index("v_e")
    step = names[first : names.index("v_e", names.index("i"))]
    order = [step.index(name) for name in ("v_e", "v_i", "g_e", "h_e", "x_trace", "e_trace", "slow", "e", "i")]
    assert order == sorted(order)
    assert any(event.vector.any() for event in events if event.name == "e")


# ---------------------------------------------------------------- known answers, of which each wrong rule breaks one


def starts_at_rest_with_its_constants(cls):
    learner = cls(bits=64, units=3, dt=0.25, lockout=20.0, image=100.0, gap=50.0).begin(Sizes((4,), 2, 1, 1, -2.0, 1.0))
    state = learner.arrays()
    assert state["W"].shape == (3, 8)
    drawn = np.random.default_rng(learner.seeds_["init"]).random((3, 8)) + 0.01
    np.testing.assert_allclose(state["W"], 0.1 * drawn / drawn.mean(axis=1, keepdims=True), rtol=1e-12)
    for which, silent in (0, 80), (1, 8):
        limits = REFRACTORY[which] * 4, THRESHOLD[which], silent
        expected = [0.25 / TAU[which], REST[which], REVERSAL[which], RESET[which], *limits]
        np.testing.assert_allclose(state["cells"][which], expected, rtol=1e-12)
    decays = [math.exp(-0.25 / tau) for tau in (1, 2, 20, 40)]
    np.testing.assert_allclose(state["keep"], [*decays, math.exp(-150 / 1e7)], rtol=1e-12)
    assert state["span"].tolist() == [400, 600, 10]
    assert state["per_hertz"][0] == pytest.approx(0.25 / 1000 / 2)
    assert (state["raised"] == 20).all()
    assert (state["v_e"] == REST[0]).all()
    assert (state["v_i"] == REST[1]).all()
    assert state["votes"].shape == (2, 3)
    assert (state["label"] == -1).all()
    assert min(state["age_e"].min(), state["age_i"].min()) >= 1e5, "longer ago than any lockout"


def sums_are_restored_and_weights_bounded(cls):
    W = np.array([[0.1, 0.3], [0.8, 0.4], [0.0, 0.0], [2.0, 0.1]])
    assert spiking.normalise(W, 0.8) == 3
    np.testing.assert_allclose(W, [[0.2, 0.6], [0.8 * 2 / 3, 0.8 / 3], [0, 0], [1.6 / 2.1, 0.08 / 2.1]], rtol=1e-12)
    assert spiking.normalise(W, 0.8) == 0
    spiking.normalise(W, 1.9)
    assert W.max() == 1
    W, trace = np.array([[0.5, 0.75], [0.5, 0.75]]), np.array([0.5, 1.0])
    spiking.potentiate(W, np.array([1.0, 0.0]), np.array([0.5, 0.5]), trace, 0.75)
    assert W.tolist() == [[0.6875, 1], [0.5, 0.75]], "no weight grows beyond 1"


KNOWN_ANSWERS = {
    "starts_at_rest_with_its_constants": starts_at_rest_with_its_constants,
    "sums_are_restored_and_weights_bounded": sums_are_restored_and_weights_bounded,
} | {
    test.__name__.removeprefix("test_"): lambda _, test=test, given=given: test(*given)
    for test, *given in (
        (test_equals_a_naive_twin_spike_for_spike, True, 20.0),
        (test_thresholds_rise_by_the_spike_and_fade_by_the_image,),
        (test_spikes_in_the_gap_are_not_counted,),
        (test_the_end_of_the_tries_leaves_what_the_last_one_gave,),
        (test_a_faint_signal_is_shown_again_and_brighter,),
        (test_a_neuron_stands_for_the_class_that_moves_it_most_on_average,),
        (test_two_classes_are_one_output_above_or_below_zero,),
        (test_a_value_with_a_sign_has_an_input_for_each,),
        (test_input_is_bernoulli_at_the_right_rate,),
        (test_events_count_what_happened,),
    )
}
"""They know the rule by its functions and by the class as it stands, of which the mutants are made in place."""
MUTATED = {
    DiehlCook: (
        *(diehl_cook.init, diehl_cook.respond, diehl_cook.answer, diehl_cook.learn, spiking.fade, spiking.leak, spiking.fire),
        *(spiking.encode, spiking.enter, spiking.add, spiking.inhibit, spiking.collect, spiking.depress, spiking.potentiate),
        spiking.normalise,
    )
}


@pytest.mark.parametrize("name", ["starts_at_rest_with_its_constants", "sums_are_restored_and_weights_bounded"])
def test_known_answer(name):
    KNOWN_ANSWERS[name](DiehlCook)
