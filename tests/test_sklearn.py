"""Learners are scikit-learn estimators: its own checks, pipelines, searches, copies, processes."""

import collections
import os
import pickle
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from harness.learner import Classifier, Population, Regressor, Synapse, hyper
from harness.registry import find
from learners.burst import BurstPropagation
from learners.controls import Logistic
from learners.diehl_cook import DiehlCook
from learners.mcculloch_pitts import McCullochPitts
from learners.mlp import MLP
from learners.oja import Oja
from learners.perceptron import Perceptron
from learners.three_factor import RewardModulatedHebb
from learners.weight_perturbation import WeightPerturbation

EXCUSED = {DiehlCook: 2, McCullochPitts: 3, BurstPropagation: 3, RewardModulatedHebb: 3, WeightPerturbation: 3}
"""Learners that fail some checks, as they say themselves, and how many runs of them."""
CLASSIFIERS = [entry.thing for entry in find().learners.values() if issubclass(entry.thing, Classifier)]
FAULTLESS = [cls for cls in CLASSIFIERS if cls not in EXCUSED]
RUNS = {(1, 9): 55}
"""Checks that scikit-learn has for a classifier, with pandas installed, by version."""
VERSION = tuple(map(int, sklearn.__version__.split(".")[:2]))
IRIS = load_iris(return_X_y=True)


def checked(learner):
    """The outcome of every check, by status: names, and once more where one is run on several kinds of data."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not inherit from `sklearn.base.BaseEstimator`")  # listing must not import it
        warnings.simplefilter("ignore", category=sklearn.exceptions.SkipTestWarning)
        warnings.simplefilter("ignore", category=sklearn.exceptions.ConvergenceWarning)
        results = check_estimator(learner, expected_failed_checks=learner.expected_failed_checks, on_fail=None, on_skip=None)
    found = collections.defaultdict(list)
    for result in results:
        found[result["status"]].append(result["check_name"])
    return found


def assert_counts(found, failing):
    """Nothing fails but what must; what is skipped is skipped for one known reason; and the number that ran is the known one."""
    assert found["failed"] == []
    skipped = [] if os.environ.get("SCIPY_ARRAY_API") else ["check_array_api_input"]
    assert found["skipped"] == skipped
    assert len(found["xfail"]) == failing
    ran = len(found["passed"]) + failing
    assert len(found["passed"]) >= 50
    if VERSION in RUNS:
        assert ran == RUNS[VERSION] - len(skipped)


@pytest.mark.parametrize("cls", FAULTLESS, ids=lambda cls: cls.__name__)
def test_every_check_of_scikit_learn_passes(cls):
    assert cls.expected_failed_checks == {}
    assert_counts(checked(cls()), 0)


@pytest.mark.parametrize("cls", EXCUSED, ids=lambda cls: cls.__name__)
def test_what_cannot_pass_is_said_on_the_class_and_does_fail(cls):
    found = checked(cls())
    assert_counts(found, EXCUSED[cls])
    excused = cls.expected_failed_checks
    assert set(found["xfail"]) == set(excused), "whatever passes needs no excuse"
    assert not set(found["passed"]) & set(excused)
    assert len(excused) <= 5
    assert all(len(reason.split()) > 5 for reason in excused.values())


def test_arrays_of_the_array_api_are_taken():
    code = (
        "from sklearn.utils.estimator_checks import check_estimator; from learners.perceptron import Perceptron;"
        "rs = check_estimator(Perceptron(), on_skip=None); assert {r['status'] for r in rs} == {'passed'}, rs;"
        "assert 'check_array_api_input' in {r['check_name'] for r in rs}"
    )
    there = os.environ | {"SCIPY_ARRAY_API": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=there, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_encoder_without_a_target_is_no_estimator():
    assert not hasattr(Oja, "fit")
    assert clone(Oja(rate=0.05)).get_params() == Oja(rate=0.05).get_params()


# ---------------------------------------------------------------- regression


def init(task, rng):
    (n_in,), n_out = task.shape, task.n_out
    return dict(W=np.zeros((n_out, n_in)), b=np.zeros(n_out), y=np.zeros((1, n_out)))


def respond(signal, out, W, b, y):
    for k in range(W.shape[0]):
        total = b[k]
        for j in range(W.shape[1]):
            total += W[k, j] * signal[0, j]
        y[0, k] = total
    for k in range(W.shape[0]):
        out[0, k] = y[0, k]


def learn(target, signal, W, b, y, rate):
    length = W.dtype.type(1)
    for j in range(W.shape[1]):
        length += signal[0, j] * signal[0, j]
    for k in range(W.shape[0]):
        step = rate * (target[0, k] - y[0, k]) / length
        b[k] += step
        for j in range(W.shape[1]):
            W[k, j] += step * signal[0, j]


class Delta(Regressor):
    """The normalised delta rule, as a regressor."""

    rate: float = hyper(default=0.2, doc="share of the error that one sample removes", low=1e-6, high=1.0, log=True)

    synapses = Synapse("W", "signal", "y"), Synapse("b", "1", "y", "bias")
    populations = (Population("y"),)
    init, respond, learn = init, respond, learn


def test_a_regressor_passes_too():
    found = checked(Delta())
    assert found["failed"] == []
    assert found["xfail"] == []
    assert len(found["passed"]) >= 45


def test_a_regressor_finds_a_plane():
    X = np.random.default_rng(0).normal(size=(300, 3))
    Y = X @ [[1.0, 0], [2, 1], [-1, 3]] + [0.5, -0.5]
    model = Delta(bits=64, epochs=50).fit(X, Y)
    assert model.score(X, Y) > 1 - 1e-9
    np.testing.assert_allclose(model.arrays()["b"], [0.5, -0.5], atol=1e-6)
    assert model.predict(X).shape == (300, 2)
    assert Delta().fit(X, Y[:, 0]).predict(X).shape == (300,)


# ---------------------------------------------------------------- in company


def test_in_a_pipeline_and_a_search():
    X, y = IRIS
    pipe = make_pipeline(StandardScaler(), MLP(hidden=8, epochs=20, rate=0.01))
    search = GridSearchCV(pipe, {"mlp__activation": ["tanh", "relu"], "mlp__rate": [1e-6, 0.01]}, cv=3).fit(X, y)
    assert search.best_params_["mlp__rate"] == 0.01
    assert search.best_score_ > 2 / 3, "what telling one class from the two others would give"
    assert cross_val_score(pipe, X, y, cv=3).mean() > 2 / 3


def test_in_other_processes():
    X, y = IRIS
    alone = cross_val_score(Perceptron(), X, y, cv=3)
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert np.array_equal(cross_val_score(Perceptron(), X, y, cv=3), alone)


def test_in_an_ensemble():
    X, y = IRIS
    several = BaggingClassifier(Perceptron(), n_estimators=5, random_state=0).fit(X, y)
    assert several.score(X, y) > 2 / 3
    assert len({member.random_state for member in several.estimators_}) == 5


@pytest.mark.parametrize("cls", [*FAULTLESS, *EXCUSED], ids=lambda cls: cls.__name__)
def test_copies_in_memory_are_the_learner(cls):
    X, y = IRIS[0][::5] > np.median(IRIS[0], axis=0), IRIS[1][::5]
    X = X.astype(float)
    model = cls(epochs=2).fit(X, y)
    for copied in (lambda: pickle.loads(pickle.dumps(model))), (lambda: joblib.load(saved(model))):
        copy = copied()
        assert copy.get_params() == model.get_params()
        assert np.array_equal(copy.predict(X), model.predict(X))
        for one in copy, model:
            one.partial_fit(X, y)
        assert np.array_equal(copy.decision_function(X), model.decision_function(X))
        for name, array in model.arrays().items():
            assert np.array_equal(array, copy.arrays()[name]), name
    fresh = clone(model)
    assert fresh.get_params() == model.get_params()
    assert not hasattr(fresh, "layout_")


def saved(model):
    """A file in memory with the learner, as joblib writes it."""
    import io

    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return file


def test_names_of_columns_are_kept_and_asked_for():
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = Perceptron(epochs=5).fit(X, y)
    assert model.feature_names_in_.tolist() == X.columns.tolist()
    assert np.array_equal(model.predict(X), Perceptron(epochs=5).fit(X.to_numpy(), y.to_numpy()).predict(X.to_numpy()))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X[X.columns[::-1]])


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["setosa", "versicolor", "virginica"], object),
        np.array(["a", "b", "c"]),
        np.array([-3, 0, 7]),
        pd.array([5, 6, 7], dtype="Int64"),
        pd.Categorical(["x", "y", "z"]),
    ],
    ids=["objects", "words", "numbers", "nullable", "categories"],
)
def test_labels_of_any_kind(labels):
    X, y = IRIS
    model = Logistic().fit(X, labels[y])
    assert set(model.predict(X)) == set(np.asarray(labels))
    assert model.score(X, np.asarray(labels)[y]) > 2 / 3


def test_what_a_fit_does_not_take_is_said():
    X, y = IRIS
    for bad, words in (
        ((X[:0], y[:0]), "0 sample"),
        ((X[y == 0], y[y == 0]), "one class"),
        ((X, y[:-1]), "inconsistent|samples"),
        ((X, np.linspace(0, 1, len(y))), "continuous|Unknown label"),
        ((np.where(X > 7, np.nan, X), y), "NaN"),
        ((X[0], y[:1]), "1D array|2D"),
    ):
        with pytest.raises(ValueError, match=words):
            Perceptron().fit(*bad)


def test_every_learner_that_fits_is_tried_here():
    assert len(FAULTLESS) + len(EXCUSED) == len(CLASSIFIERS) >= 30
