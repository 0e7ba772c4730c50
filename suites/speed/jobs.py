"""The jobs: what runs, our own first, then whoever is installed. Each does the same arithmetic as all the others."""

import warnings
from functools import partial
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from harness.learner import Sizes
from harness.registry import find


class Job(NamedTuple):
    """Runners by name, our own first; our learner, fitted once; and what a run amounts to, by unit."""

    runners: dict
    learner: object
    amount: tuple


def learner(name, **params):
    """A learner of the project; suites do not import learners."""
    return find().learners[name.casefold()].thing(**params)


def torch_loop(model, optimiser, loss, X, y, epochs, block):
    """The plain loop of PyTorch, as its tutorials have it; rows in order."""
    for _ in range(epochs):
        for start in range(0, len(X), block):
            optimiser.zero_grad()
            loss(model(X[start : start + block]), y[start : start + block]).backward()
            optimiser.step()


def quiet(run):
    """Run without scikit-learn's word that it might have run for longer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run()


def xor():
    """A network 2-8-1 on exclusive or: 2,000 steps of plain descent on all four rows."""
    from sklearn.neural_network import MLPClassifier

    X, y, steps = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([0, 1, 1, 0]), 2000
    ours = learner(
        "MLP", hidden=8, activation="tanh", optimiser="sgd", rate=0.5, block=4, epochs=steps, shuffle=False, start="torch"
    ).fit(X, y)
    rival = MLPClassifier(
        (8,), activation="tanh", solver="sgd", learning_rate_init=0.5, momentum=0, alpha=0, batch_size=4, shuffle=False,
        max_iter=steps, n_iter_no_change=steps + 1, tol=0, random_state=0,
    )  # fmt: skip
    runners = {"ours": lambda: ours.fit(X, y), "scikit-learn": lambda: quiet(lambda: rival.fit(X, y))}
    if find_spec("torch"):
        import torch
        from torch import nn

        tX, ty = torch.from_numpy(X), torch.tensor(y[:, None], dtype=torch.float32)

        def eager():
            net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
            torch_loop(net, torch.optim.SGD(net.parameters(), 0.5), nn.BCEWithLogitsLoss(), tX, ty, steps, 4)

        runners["torch"] = eager
    return Job(runners, ours, (steps, "steps"))


def perceptron():
    """Rosenblatt's rule on 1,000 rows of 20 numbers, two classes a margin of 0.05 apart, to the first epoch without a miss."""
    from sklearn.linear_model import Perceptron

    rng = np.random.default_rng(1)
    w, X = rng.standard_normal(20), rng.standard_normal((2000, 20))
    X = X[np.abs(X @ w) > 0.05 * np.linalg.norm(w)][:1000].astype(np.float32)
    y = (X @ w > 0).astype(int)
    ours = learner("Perceptron", epochs=1000, stop=True, shuffle=False).fit(X, y)
    epochs = len(ours.missed_)
    rival = Perceptron(max_iter=epochs, tol=None, shuffle=False)
    runners = {"ours": lambda: ours.fit(X, y), "scikit-learn": lambda: rival.fit(X, y)}
    return Job(runners, ours, (epochs * len(X), "samples"))


def mlp():
    """A network 784-256-10, blocks of 64, Adam: one epoch of 5,000 images of which 19 % of pixels are on, as in MNIST."""
    from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng(0)
    X = (rng.random((5000, 784)) * (rng.random((5000, 784)) < 0.19)).astype(np.float32)
    y = rng.integers(0, 10, 5000)
    ours = learner("MLP", hidden=256, block=64, epochs=1, shuffle=False).fit(X, y)
    double = X.astype(float)
    rival = MLPClassifier((256,), batch_size=64, max_iter=1, alpha=0, shuffle=False, random_state=0)
    runners = {"ours": lambda: ours.fit(X, y), "scikit-learn": lambda: quiet(lambda: rival.fit(double, y))}
    if find_spec("torch"):
        import torch
        from torch import nn

        tX, ty = torch.from_numpy(X), torch.from_numpy(y)

        def run(**how):
            net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
            torch_loop(net, torch.optim.Adam(net.parameters(), 1e-3, **how), nn.CrossEntropyLoss(), tX, ty, 1, 64)

        runners |= {"torch fused": partial(run, fused=True), "torch": run}
    return Job(runners, ours, (len(X), "images"))


def predictive_coding():
    """A network 784-256-10 that settles for 20 steps, blocks of 64, Adam: 1,280 images, 19 % of pixels on.

    Every run goes on from the weights of the last one. The rivals return their weights and the last block's activities.
    """
    rng = np.random.default_rng(0)
    X = (rng.random((1280, 784)) * (rng.random((1280, 784)) < 0.19)).astype(np.float32)
    T = np.eye(10, dtype=np.float32)[rng.integers(0, 10, 1280)]
    ours = learner("PredictiveCoding", hidden=256, depth=1, block=64, steps=20, step=0.1).begin(Sizes((784,), 10))
    ours.prepare()
    runners = {"ours": lambda: ours.live(X[:, None], T[:, None])}
    if find_spec("torch"):
        from suites.speed.settling import by_autograd, by_hand

        runners |= {"torch": by_hand(ours, X, T), "torch autograd": by_autograd(ours, X, T)}
    return Job(runners, ours, (len(X), "images"))


def attention():
    """Two heads of width 16 over 64 positions of 8 numbers: one epoch of 320 sequences in blocks of 32, with Adam."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((320, 64, 8)).astype(np.float32)
    y = (X[:, -1, 0] > 0).astype(int)
    ours = learner("Attention", epochs=1, shuffle=False).fit(X, y)
    return Job({"ours": lambda: ours.fit(X, y)}, ours, (len(X), "sequences"))


def spikes():
    """Diehl and Cook's network of 100 + 100 neurons: 20 images of 784 pixels, each shown once for 350 ms and 150 ms of rest."""
    rng = np.random.default_rng(0)
    X = (rng.random((20, 784)) * (rng.random((20, 784)) < 0.19)).astype(np.float32)
    ours = learner("DiehlCook", tries=1).fit(X, np.arange(20) % 2)
    return Job({"ours": lambda: ours.live(X[:, None], plastic=True)}, ours, (len(X), "images"))
