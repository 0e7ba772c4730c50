"""The controls: what they answer, against the definition of each."""

import numpy as np
import pytest

from harness.learner import Sizes
from learners.controls import Chance, Logistic, Majority, NearestNeighbour, RandomFeatures, RidgeFeatures


def made(cls, n_in, n_out, **params):
    return cls(**dict(bits=64) | params).begin(Sizes((n_in,), n_out))


def drawn(n, d, K, seed=0):
    """Signals (n, 1, d) in K classes that overlap, and their targets (n, 1, K)."""
    rng = np.random.default_rng(seed)
    named = np.arange(n) % K
    X = rng.normal(size=(n, 1, d)) + 0.7 * np.eye(max(K, d))[named, None, :d]
    return X, np.eye(K)[named][:, None]


def rectified(learner, X):
    """max(sum_i W_ih x_i + b_h, 0), number by number."""
    W, b = learner.hidden_, learner.bias_
    return np.array([[max(sum(x * w for x, w in zip(row, W[:, h], strict=True)) + b[h], 0) for h in range(len(b))] for row in X])


def downhill(model, rows, T, penalty):
    """Minus the gradient of the summed cross-entropy and half the penalty times the squared norm, by hand."""
    z = rows @ model.coef_.T + model.intercept_
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return (T - p).T @ rows - penalty * model.coef_, (T - p).sum(0)


# ---------------------------------------------------------------- known answers of RandomFeatures


def features_are_rectified_sums(cls):
    X, T = drawn(12, 3, 3)
    learner = made(cls, 3, 3, hidden=7)
    learner.live(X, T)
    assert (rectified(learner, X[:, 0]) > 0).any()
    np.testing.assert_allclose(learner.features(X[:, 0]), rectified(learner, X[:, 0]), rtol=1e-12, atol=1e-14)


def layer_starts_at_its_scale_and_stays(cls):
    X, T = drawn(9, 5, 3)
    learner = made(cls, 5, 3, hidden=2000)
    learner.live(X, T)
    for array, variance in (learner.hidden_, 2 / 5), (learner.bias_, 0.25):
        assert abs((array**2).mean() / variance - 1) < 4 * (2 / array.size) ** 0.5
        assert abs(array.mean()) < 4 * (variance / array.size) ** 0.5
    other = made(cls, 5, 3, hidden=2000)
    other.live(X[::-1], T)
    assert np.array_equal(learner.hidden_, other.hidden_), "what is drawn hangs on the seed, not on the data"


def read_out_is_at_the_top_of_its_likelihood(cls):
    X, T = drawn(60, 4, 3)
    learner = made(cls, 4, 3, hidden=6, penalty=5.0)
    learner.live(X, T)
    for slope in downhill(learner.model_, rectified(learner, X[:, 0]), T[:, 0], 5.0):
        assert np.abs(slope).max() / 60 < 1e-3


def answers_are_the_read_outs_probabilities(cls):
    X, T = drawn(30, 4, 3)
    learner = made(cls, 4, 3, hidden=6)
    learner.live(X, T)
    np.testing.assert_allclose(learner.live(X)[:, 0], learner.model_.predict_proba(rectified(learner, X[:, 0])), rtol=1e-12)


KNOWN_ANSWERS = {
    answer.__name__: answer
    for answer in (
        features_are_rectified_sums,
        layer_starts_at_its_scale_and_stays,
        read_out_is_at_the_top_of_its_likelihood,
        answers_are_the_read_outs_probabilities,
    )
}
MUTATED = {RandomFeatures: (RandomFeatures.study, RandomFeatures.features, RandomFeatures.model)}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](RandomFeatures)


def ridge(rows, T, penalty):
    """The closed form: (Z'Z + penalty) w = Z'T for rows Z and targets T about their means."""
    Z = rows - rows.mean(0)
    w = np.linalg.solve(Z.T @ Z + penalty * np.eye(Z.shape[1]), Z.T @ (T - T.mean(0)))
    return lambda asked: (asked - rows.mean(0)) @ w + T.mean(0)


@pytest.mark.parametrize("penalty", [1e-3, 1.0, 100.0])
@pytest.mark.parametrize("K", [1, 3])
def test_ridge_of_random_features_is_the_closed_form(K, penalty):
    X, T = drawn(60, 4, max(K, 2))
    learner = made(RidgeFeatures, 4, K, hidden=9, penalty=penalty)
    learner.live(X, T if K > 1 else T[..., 1:])
    asked, _ = drawn(20, 4, max(K, 2), seed=1)
    expected = ridge(rectified(learner, X[:, 0]), T[:, 0], penalty)(rectified(learner, asked[:, 0]))
    np.testing.assert_allclose(expected.sum(1), 1, rtol=1e-10)
    found = learner.live(asked)[:, 0]
    np.testing.assert_allclose(found, expected if K > 1 else expected[:, 1:] - expected[:, :1], rtol=1e-8, atol=1e-9)


def test_ridge_reads_the_same_layer_as_logistic_regression():
    X, T = drawn(30, 4, 3)
    ours, theirs = (made(cls, 4, 3, hidden=9, random_state=5) for cls in (RidgeFeatures, RandomFeatures))
    for learner in ours, theirs:
        learner.live(X, T)
    assert np.array_equal(ours.hidden_, theirs.hidden_)
    assert np.array_equal(ours.bias_, theirs.bias_)


# ---------------------------------------------------------------- the others


def test_logistic_is_at_the_top_of_its_likelihood():
    X, T = drawn(60, 4, 3)
    learner = made(Logistic, 4, 3, penalty=2.0)
    learner.live(X, T)
    for slope in downhill(learner.model_, X[:, 0], T[:, 0], 2.0):
        assert np.abs(slope).max() / 60 < 1e-3


@pytest.mark.parametrize("neighbours", [1, 3])
def test_nearest_neighbour_is_what_the_distances_say(neighbours):
    X, T = drawn(40, 3, 3)
    learner = made(NearestNeighbour, 3, 3, neighbours=neighbours)
    learner.live(X, T)
    asked, _ = drawn(20, 3, 3, seed=1)
    near = np.argsort(((asked - X[:, 0]) ** 2).sum(-1), axis=1)[:, :neighbours]
    np.testing.assert_allclose(learner.live(asked)[:, 0], T[near, 0].mean(axis=1))


def test_more_neighbours_than_signals_are_all_signals():
    X, T = drawn(7, 2, 3)
    learner = made(NearestNeighbour, 2, 3, neighbours=1000)
    learner.live(X, T)
    np.testing.assert_allclose(learner.live(X)[:, 0], np.tile(T[:, 0].mean(0), (7, 1)))


def test_majority_answers_with_the_shares():
    learner = made(Majority, 2, 3)
    learner.live(np.zeros((4, 1, 2)), np.eye(3)[[1, 1, 2, 1]][:, None])
    assert learner.live(np.ones((2, 1, 2)))[:, 0].tolist() == [[0, 0.75, 0.25]] * 2


@pytest.mark.parametrize("K", [1, 3])
def test_chance_names_every_class_alike_and_the_same_signal_always_so(K):
    learner = made(Chance, 3, K)
    X = np.random.default_rng(0).normal(size=(3000, 1, 3))
    learner.live(X[:4], np.eye(max(K, 2))[[0, 1, 0, 1]][:, None, -K:])
    out = learner.live(X)[:, 0]
    assert np.array_equal(out, learner.live(X)[:, 0])
    assert np.array_equal(out[::-1], learner.live(X[::-1])[:, 0])
    named = out.argmax(1) if K > 1 else (out[:, 0] > 0).astype(int)
    share = 1 / max(K, 2)
    assert (np.abs(np.bincount(named) / 3000 - share) < 4 * (share * (1 - share) / 3000) ** 0.5).all()
    other = made(Chance, 3, K, random_state=1)
    assert not np.array_equal(out, other.live(X)[:, 0])


@pytest.mark.parametrize("cls", [Logistic, NearestNeighbour, RandomFeatures, RidgeFeatures, Majority])
def test_a_class_never_seen_is_never_named(cls):
    X, _ = drawn(6, 2, 2)
    learner = made(cls, 2, 4)
    learner.live(X, np.eye(4)[[1, 3, 1, 3, 1, 3]][:, None])
    assert not learner.live(X)[:, 0, [0, 2]].any()
    learner.live(X, np.eye(4)[[2] * 6][:, None])
    assert (learner.live(X)[:, 0].argmax(1) == 2).all()


def test_a_wrapped_model_has_no_arrays_to_change_or_keep():
    learner = made(Logistic, 2, 2)
    with pytest.raises(TypeError, match="no arrays to change"):
        learner.fork(W=np.zeros(2))
    with pytest.raises(TypeError, match="fit it again"):
        learner.snapshot()


# ---------------------------------------------------------------- as estimators, against scikit-learn itself


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("bits", [32, 64])
def test_wrapped_models_are_scikit_learns_own(K, bits):
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    X, T = drawn(80, 4, K)
    X, y = X[:, 0].astype(f"float{bits}"), T[:, 0].argmax(1)
    asked = X[::-1] + 0.1
    pairs = [
        (Logistic(penalty=0.5, bits=bits), LogisticRegression(C=2.0, max_iter=1000)),
        (NearestNeighbour(neighbours=3, bits=bits), KNeighborsClassifier(3, algorithm="brute")),
    ]
    for ours, theirs in pairs:
        ours.fit(X, y)
        theirs.fit(X, y)
        assert np.array_equal(ours.predict(asked), theirs.predict(asked))
        p = theirs.predict_proba(asked)
        found, tolerance = ours.decision_function(asked), 1e-12 if bits == 64 else 1e-6
        np.testing.assert_allclose(found, p if K > 2 else p[:, 1] - p[:, 0], rtol=0, atol=tolerance)


@pytest.mark.parametrize("K", [2, 5])
def test_majority_scores_the_share_of_the_commonest_class_and_chance_one_in_k(K):
    rng = np.random.default_rng(K)
    y = rng.choice(K, 4000, p=np.array([3, *[1] * (K - 1)]) / (K + 2))
    X = rng.normal(size=(4000, 3))
    assert Majority().fit(X, y).score(X, y) == np.bincount(y).max() / 4000
    # the answers do not depend on y, so that each is right with probability 1 / K
    assert abs(Chance().fit(X, y).score(X, y) - 1 / K) < 4 * (1 / K * (1 - 1 / K) / 4000) ** 0.5


def test_frozen_features_do_not_learn():
    X, T = drawn(40, 4, 3)
    layers = []
    for targets in T, T[::-1], np.roll(T, 1, axis=0):
        learner = made(RandomFeatures, 4, 3, hidden=8)
        learner.live(X, targets)
        layers.append((learner.hidden_.copy(), learner.bias_.copy()))
    for hidden, bias in layers[1:]:
        assert np.array_equal(hidden, layers[0][0])
        assert np.array_equal(bias, layers[0][1])
    other = made(RandomFeatures, 4, 3, hidden=8, random_state=1)
    other.live(X, T)
    assert not np.array_equal(other.hidden_, layers[0][0])
