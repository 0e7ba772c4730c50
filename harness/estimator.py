"""Learners as scikit-learn knows them: `fit`, `partial_fit`, `predict`, `score`; it is not imported to define them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from harness.base import Learner
from harness.declare import Sizes, hyper
from harness.state import finite

if TYPE_CHECKING:
    from harness.state import Array

ROWS = 2**15
"""Rows lived through between two looks of Python, for instance at an interrupt; their order fits a core's own cache."""


class Estimator(Learner):
    """What classifiers and regressors share: checked input, and a loop of their own where no harness trains them."""

    expected_failed_checks: ClassVar[dict[str, str]] = {}
    """Checks of scikit-learn's `check_estimator` that this rule cannot pass, and why: what that function takes by this name."""

    epochs: int = hyper(default=10, doc="passes over the data in `fit`", low=1, high=1_000_000, fit=True)
    shuffle: bool = hyper(default=True, doc="a new order in every epoch of `fit`", fit=True)
    stop: bool = hyper(default=False, doc="`fit` ends with the first epoch without a miss", fit=True)

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=True),
            transformer_tags=None,
            regressor_tags=None,
            classifier_tags=None,
            input_tags=InputTags(three_d_array="sequence" in self.can.inputs),
        )

    def _clean(self, X: Any) -> bool:
        """Whether X is a plain finite float array and needs none of scikit-learn's checks, which cost more than a small fit."""
        fine = type(X) is np.ndarray and X.ndim == 2 and X.size > 0 and X.dtype.char in "fd"
        return fine and not hasattr(self, "feature_names_in_") and finite(X)

    def _checked(self, X: Any, y: Any, *, fresh: bool) -> tuple[Array, Any]:
        """X (n, d) or (n, ticks, d) as floats of this learner, and y; ValueError where they are not fit to learn from."""
        if self._clean(X) and (fresh or X.shape[1] == getattr(self, "n_features_in_", None)):
            if fresh:
                self.n_features_in_ = X.shape[1]
            if y is None or (type(y) is np.ndarray and y.ndim == 1 and len(y) == len(X) and y.dtype.kind in "biuU"):
                return np.asarray(X, self.dtype), y
        from sklearn.utils.validation import validate_data

        options: dict[str, Any] = dict(dtype=self.dtype, reset=fresh, allow_nd="sequence" in self.can.inputs)
        if y is None:
            return _in_shape(validate_data(self, X, **options)), None
        X, y = validate_data(self, X, y, **options, **self._target_checks())
        return _in_shape(X), y

    def _target_checks(self) -> dict[str, Any]:
        return {}

    def _lay_out(self, X: Array, n_out: int) -> None:
        signals = self.signals(X if X.ndim == 3 else X[:, None])
        ticks, *shape = signals.shape[1:]
        self.begin(Sizes(tuple(shape), n_out, ticks, 1, float(X.min()), float(X.max())))

    def _study(self, X: Array, Y: Array, epochs: int) -> Self:
        """Live through the data: once and in order if `epochs` is 0. Only the last tick is taught.

        A rule that `respond` itself brings about goes first and sees no target; `learn` then reads it out.
        """
        X = self.signals(X if X.ndim == 3 else X[:, None])
        ticks = self.task_.n_ticks
        taught = np.arange(ticks) == ticks - 1
        Y = np.repeat(Y[:, None], ticks, axis=1) if ticks > 1 else Y[:, None]
        order = np.random.default_rng(self.seeds_["order"]) if epochs and self.shuffle else None
        alone, missed, left = "plastic" in self._named["respond"], [], max(epochs, 1)
        rows = np.arange(len(X))[None]
        while left:
            now = min(left, max(1, ROWS // len(X)))
            orders = rows.repeat(now, axis=0)
            if order is not None:
                orders = order.permuted(orders, axis=1)
            if alone:
                self.live(X, orders=orders, plastic=True)
            else:
                self.live(X, Y, taught, orders=orders, stop=bool(self.stop))
            missed.append(self.missed_)
            left -= now if len(self.missed_) == now else left
        if alone:
            self.live(X, Y, taught, plastic=False)
        self.missed_ = np.concatenate(missed)
        return self

    def _answers(self, X: Any) -> Array:
        """The response at the last tick, (n, n_out). Leaves the learner as it was."""
        if not hasattr(self, "layout_"):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(f"This {type(self).__name__} is not fitted yet; call fit first.")
        X, _ = self._checked(X, None, fresh=False)
        return self.fork().live(self.signals(X if X.ndim == 3 else X[:, None]))[:, -1]

    def _take_header(self, header: dict[str, Any]) -> None:
        super()._take_header(header)
        fitted = header.get("fitted", {})
        if "n_features" in fitted:
            self.n_features_in_ = fitted["n_features"]

    def _header(self) -> dict[str, Any]:
        fitted: dict[str, Any] = {}
        if hasattr(self, "n_features_in_"):
            fitted |= dict(n_features=self.n_features_in_)
        return super()._header() | dict(fitted=fitted)


def _in_shape(X: Array) -> Array:
    """X again; ValueError unless it is rows, or rows of ticks. scikit-learn allows any number of axes or two."""
    if X.ndim > 3 or X.size == 0:
        raise ValueError(f"X.shape={X.shape!r} must be (n, d) or (n, ticks, d), with one or more of each.")
    return X


class Classifier(Estimator):
    """A learner that answers with a class. Two classes are one output unit, above `cut` for the second."""

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags

        tags = super().__sklearn_tags__()
        tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from scratch, `epochs` times over: X (n, d) or (n, ticks, d), y (n,) labels of any kind."""
        X, y = self._checked(X, y, fresh=True)
        return self._begin_classes(X, _distinct(self._labels(y)))._study(X, self._coded(y), int(self.epochs))

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Learn from a further block of data, once and in order. The first call names all `classes`."""
        fresh = not hasattr(self, "layout_")
        X, y = self._checked(X, y, fresh=fresh)
        if fresh:
            self._begin_classes(X, np.unique(self._labels(y) if classes is None else classes))
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes={classes!r} is not what the first call of partial_fit gave: {self.classes_!r}.")
        if unknown := set(np.unique(y).tolist()) - set(self.classes_.tolist()):
            known = self.classes_.tolist()
            raise ValueError(f"y holds {sorted(unknown)!r}, which is none of the classes {known!r} given at first.")
        return self._study(X, self._coded(y), 0)

    def _labels(self, y: Any) -> Array:
        if not (type(y) is np.ndarray and y.dtype.kind in "biuU"):
            from sklearn.utils.multiclass import check_classification_targets

            check_classification_targets(y)
        return np.asarray(y)

    def _begin_classes(self, X: Array, classes: Array) -> Self:
        self.classes_ = classes
        if len(classes) < 2:
            name = type(self).__name__
            raise ValueError(f"{name} is a classifier and needs two classes or more; y holds one class, {classes[0]!r}.")
        self._lay_out(X, len(classes) if len(classes) > 2 else 1)
        return self

    def _coded(self, y: Array) -> Array:
        """Labels as targets (n, n_out): one-hot, or one output for two classes."""
        coded: Array = (y[:, None] == (self.classes_ if len(self.classes_) > 2 else self.classes_[1:])).astype(self.dtype)
        return coded

    def decision_function(self, X: Any) -> Array:
        """The response to each row: (n, n_classes), or (n,) above or below 0 where there are two classes."""
        out = self._answers(X)
        return out[:, 0] - self.dtype(self.cut) if out.shape[1] == 1 else out

    def predict(self, X: Any) -> Array:
        """The likeliest class of each row."""
        out = self.decision_function(X)
        chosen: Array = self.classes_[(out > 0).astype(int) if out.ndim == 1 else out.argmax(axis=1)]
        return chosen

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of rows whose class is right."""
        return float(np.average(self.predict(X) == np.asarray(y), weights=sample_weight))

    def _header(self) -> dict[str, Any]:
        header = super()._header()
        if hasattr(self, "classes_"):
            header["fitted"]["classes"] = self.classes_.tolist()
        return header

    def _take_header(self, header: dict[str, Any]) -> None:
        super()._take_header(header)
        if "classes" in header["fitted"]:
            self.classes_ = np.array(header["fitted"]["classes"])


class Regressor(Estimator):
    """A learner that answers with values."""

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import RegressorTags

        tags = super().__sklearn_tags__()
        tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        tags.target_tags.multi_output = True
        return tags

    def _target_checks(self) -> dict[str, Any]:
        return dict(multi_output=True, y_numeric=True)

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from scratch, `epochs` times over: y (n,) or (n, n_out)."""
        if y is None:
            raise ValueError(f"{type(self).__name__}.fit requires y to be passed, but the target y is None.")
        X, y = self._checked(X, y, fresh=True)
        Y = np.asarray(y, self.dtype).reshape(len(X), -1)
        self.flat_ = np.ndim(y) == 1
        self._lay_out(X, Y.shape[1])
        return self._study(X, Y, int(self.epochs))

    def predict(self, X: Any) -> Array:
        """The response to each row, in the shape of y, in double precision as scikit-learn has it."""
        out = self._answers(X).astype(float)
        return out[:, 0] if self.flat_ else out

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The coefficient of determination R^2."""
        y = np.asarray(y, float)
        residue = np.average((y - self.predict(X)) ** 2, axis=0, weights=sample_weight)
        spread = np.average((y - np.average(y, axis=0, weights=sample_weight)) ** 2, axis=0, weights=sample_weight)
        return float(np.mean(1 - residue / spread))


def _distinct(labels: Array) -> Array:
    """The labels that occur, in order, as np.unique has them; a sort is quicker where there are few."""
    ordered = np.sort(labels, axis=None)
    return np.concatenate((ordered[:1], ordered[1:][ordered[1:] != ordered[:-1]]))
