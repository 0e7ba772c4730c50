"""Controls: what any learner must be held against.

Chance and majority below, linear and nearest-neighbour beside, frozen random features as the network that does not learn. The
models are scikit-learn's; only the face is ours.

Cover, T. M. & Hart, P. E. (1967). Nearest neighbor pattern classification. doi:10.1109/TIT.1967.1053964
Cox, D. R. (1958). The regression analysis of binary sequences. doi:10.1111/j.2517-6161.1958.tb00292.x
Hoerl, A. E. & Kennard, R. W. (1970). Ridge regression. Technometrics 12, 55-67. doi:10.1080/00401706.1970.10488634
Rahimi, A. & Recht, B. (2007). Random features for large-scale kernel machines. NeurIPS 20, 1177-1184.
"""

import zlib

import numpy as np

from harness.learner import hyper
from harness.wrapped import Wrapped


class Chance(Wrapped):
    """Names a class at random, all alike: the floor of every task. The same signal always gets the same answer."""

    family = "control"
    poor = True

    def study(self, rows, named):
        """Nothing to study."""

    def answer(self, rows):
        """A class drawn by the signal's own bytes and the seed."""
        salt = zlib.crc32(repr(self.seeds_["noise"]).encode())
        rows = np.ascontiguousarray(rows, np.float32)
        drawn = np.array([zlib.crc32(row.tobytes(), salt) for row in rows], np.uint64)
        classes = max(self.task_.n_out, 2)
        mixed = (drawn * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
        return np.eye(classes)[(mixed % np.uint64(classes)).astype(int)]


class Majority(Wrapped):
    """Names the class that was commonest in training."""

    family = "control"
    poor = True

    def study(self, rows, named):
        """Count the classes; of several commonest the first."""
        self.shares_ = np.bincount(named, minlength=max(self.task_.n_out, 2)) / len(named)

    def answer(self, rows):
        """The shares of the classes, whatever the signal."""
        return np.tile(self.shares_, (len(rows), 1))


class Logistic(Wrapped):
    """Multinomial logistic regression: the best that one layer can do with a probability."""

    family = "control"

    penalty: float = hyper(
        default=1e-2, doc="weight of the squared norm, over the number of rows", low=1e-6, high=1e3, log=True, search=(1e-5, 10.0)
    )

    source = ("doi:10.1111/j.2517-6161.1958.tb00292.x",)

    def model(self):
        """L-BFGS on the penalised likelihood."""
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=1 / self.penalty, max_iter=1000, tol=1e-4)


class NearestNeighbour(Wrapped):
    """Names the class of the nearest training signal: memory without learning."""

    family = "control"

    neighbours: int = hyper(default=1, doc="neighbours that vote", low=1, high=1000, log=True, search=(1, 30))

    source = ("doi:10.1109/TIT.1967.1053964",)

    def model(self):
        """Euclidean distance, brute force: its order of sums does not depend on the machine's trees."""
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(self.neighbours, algorithm="brute")

    def study(self, rows, named):
        """Remember the rows; never ask for more neighbours than there are."""
        self.known_ = np.unique(named)
        if len(self.known_) > 1:
            self.model_ = self.model().set_params(n_neighbors=min(self.neighbours, len(rows))).fit(rows, named)


class RandomFeatures(Wrapped):
    """A hidden layer of random weights that never learn, read out by logistic regression: what depth gives for nothing."""

    family = "control"

    hidden: int = hyper(default=64, doc="hidden units", low=1, high=16384, log=True, search=(8, 256))
    penalty: float = hyper(
        default=1e-2, doc="weight of the squared norm, over the number of rows", low=1e-6, high=1e3, log=True, search=(1e-5, 10.0)
    )

    source = ("Rahimi & Recht (2007), NeurIPS 20",)

    def study(self, rows, named):
        """Draw the layer, then fit the read-out to what it makes of the rows."""
        rng = np.random.default_rng(self.seeds_["init"])
        self.hidden_ = rng.normal(0, (2 / rows.shape[1]) ** 0.5, (rows.shape[1], self.hidden))
        self.bias_ = rng.normal(0, 0.5, self.hidden)
        super().study(self.features(rows), named)

    def features(self, rows):
        """relu(W x + b), (n, hidden)."""
        return np.maximum(rows.astype(float) @ self.hidden_ + self.bias_, 0)

    def answer(self, rows):
        """The read-out's probabilities."""
        return super().answer(self.features(rows))

    def model(self):
        """The same logistic regression as the control of that name."""
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=1 / self.penalty, max_iter=1000, tol=1e-4)


class Indicators:
    """Ridge regression on the indicators of the classes, 0 and 1, with the face of a classifier."""

    def __init__(self, penalty):
        """Squared error, and the penalty times the squared norm of all weights but the intercepts."""
        from sklearn.linear_model import Ridge

        self.ridge = Ridge(alpha=penalty)

    def fit(self, rows, named):
        """One regression for each class that there is."""
        self.ridge.fit(rows, (named[:, None] == np.unique(named)).astype(float))
        return self

    def predict_proba(self, rows):
        """What was regressed: it sums to 1 over the classes, though it may lie outside of [0, 1]."""
        return self.ridge.predict(rows)


class RidgeFeatures(RandomFeatures):
    """The same random layer, read out by least squares with a penalty: learning in one step, without a rate."""

    penalty: float = hyper(default=1.0, doc="weight of the squared norm, over the number of rows", low=1e-6, high=1e6, log=True)

    source = "Rahimi & Recht (2007), NeurIPS 20", "doi:10.1080/00401706.1970.10488634"

    def model(self):
        """Ridge regression, of which the largest response names the class."""
        return Indicators(self.penalty)
