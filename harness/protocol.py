"""How one trial is run. The harness owns the loop, the order, the budget, the clock, early stopping and the metric.

Training goes in segments between looks at log-spaced numbers of samples. With `validate` a look scores the validation data
and the best state so far is the one that is tested, once, at the end. Test data take part in nothing else; where settings
are tried out, not even a failure on them counts.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from harness.base import Learner
from harness.costs import ROWS, Counts, count
from harness.declare import Sizes
from harness.metrics import METRICS, normalised, plain
from harness.registry import load
from harness.task import Array, Dataset, Split, Task
from harness.trial import TUNING, Result, Trial

SPACING = 1.5
"""Factor between the samples seen at one look and at the next."""

ENOUGH = 500
"""Training rows, at most, on which the final score on training data is taken: it tells over-fitting, and decides nothing."""

Compiling = Callable[[], AbstractContextManager[None]]


class DivergedError(ArithmeticError):
    """A weight or a response is no longer a finite number."""

    def __init__(self, samples: int) -> None:
        super().__init__(f"NaN or infinity after {samples} samples")
        self.samples = samples


def perform(trial: Trial, compiling: Compiling) -> Result:
    """Run one trial. `compiling()` brackets what is compilation, so that no deadline counts it."""
    task: Task = load(trial.task_where)
    data = task.make(trial.seeds["data"], trial.difficulty)
    if not trial.protocol.validate and not task.exhaustive:
        data = data._replace(train=_joined(data.train, data.valid), valid=Split(data.valid.X[:0], data.valid.y[:0]))
    session = Session(trial, task, data)
    with compiling():
        compile_s = session.learner.prepare()
    drawn = _global_random()
    try:
        result = session.run()
    except DivergedError as end:
        result = session.result("diverged", str(end))
        result.diverged_at = end.samples
    if _global_random() != drawn:
        raise ValueError("the learner drew from a global random generator: use `rng` in init, and `noise` in kernels")
    if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(session.train, session.shown(data.train), strict=True)):
        raise ValueError("the learner changed the data that it was shown: kernels must not write to `signal` or `target`")
    result.compile_s = compile_s
    return result


def _global_random() -> tuple[Any, ...]:
    """The state of the generators that every library shares, for comparison."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002 - it is looked at, not drawn from
    return name, np.asarray(keys).tobytes(), *rest, random.getstate()


def _joined(a: Split, b: Split) -> Split:
    """Two consecutive parts of a data set as one, in their order."""
    return Split(np.concatenate([a.X, b.X]), np.concatenate([a.y, b.y]))


class Session:
    """One learner on one data set: what `perform` needs to keep while it runs."""

    def __init__(self, trial: Trial, task: Task, data: Dataset) -> None:
        cls = load(trial.where)
        self.trial, self.task, self.data = trial, task, data
        given = {k: v for k, v in task.given(trial.difficulty).items() if k in cls.hypers()}
        self.learner: Learner = cls(**trial.params | given)
        self.metric = METRICS[task.metric]
        X = data.train.X
        signals = cls.signals(X)
        ticks = signals.shape[1]
        n_out = (data.n_classes if data.n_classes > 2 else 1) if data.n_classes else max(data.train.y.shape[1], 1)
        sizes = Sizes(signals.shape[2:], n_out, ticks, 1, float(X.min()), float(X.max()))
        self.learner.begin(sizes, {axis: trial.seeds[axis] for axis in ("init", "order", "noise")})
        ticks = self.learner.task_.n_ticks
        self.taught = np.arange(ticks) == ticks - 1
        self.alone = "plastic" in self.learner.names("respond")
        self.train = self.shown(data.train)
        self.samples, self.epochs, self.train_s = 0, 0.0, 0.0
        self.scores: dict[str, float | None] = {}
        self.counts = Counts()
        self.curve: list[dict[str, Any]] = []
        self.observed: list[dict[str, Any]] = []
        self.infer_s: float | None = None
        self.reading: tuple[int, Learner] = -1, self.learner

    def shown(self, part: Split) -> tuple[Array, Array]:
        """A part of the data as the learner meets it: signals (n, ticks, *shape), targets (n, ticks, n_out)."""
        X = self.learner.signals(part.X).astype(self.learner.dtype)
        K, ticks = self.learner.task_.n_out, self.learner.task_.n_ticks
        if self.data.n_classes:
            coded = part.y[:, None] == (np.arange(K) if K > 1 else np.array([1]))
        else:
            coded = part.y if part.y.shape[1] else np.zeros((len(part), K))
        return X, np.repeat(coded[:, None].astype(self.learner.dtype), ticks, axis=1)

    # ------------------------------------------------------------------ the run

    def run(self) -> Result:
        """Train, keep the best state, test it once."""
        protocol = self.trial.protocol
        best: tuple[float, dict[str, Array]] | None = None
        idle = 0
        for _ in self.looks():
            self.observe()
            if not protocol.validate:
                self.note("train", self.score(self.data.train))
                continue
            score = self.score(self.data.valid)
            self.note("valid", score)
            idle = 0 if best is None or score > best[0] or self.epochs < 1 else idle + 1
            if best is None or score >= best[0]:
                best = score, self.learner.layout_.copy()
            if idle >= protocol.patience:
                break
        if best is not None:
            self.scores["valid"] = best[0]
            spent = {k: a.copy() for k, a in self.learner.arrays().items() if k == "events"}
            self.learner.layout_.write(best[1] | spent)
            self.reading = -1, self.learner
        self.scores["train"] = self.score(Split(self.data.train.X[:ENOUGH], self.data.train.y[:ENOUGH]))
        tested = self.test()
        X, Y = self.train
        self.counts = count(self.learner, X[:ROWS], Y[:ROWS], self.taught, self.samples)
        return self.result("ok", score=tested)

    def test(self) -> float | None:
        """The score on test data. In tuning there is none where something goes wrong: as a failure it would help to choose."""
        start = time.perf_counter()
        try:
            score = self.score(self.data.test)
        except Exception:
            if self.trial.protocol.name != TUNING:
                raise
            return None
        self.infer_s = time.perf_counter() - start
        self.note("test", score)
        return score

    def looks(self) -> Iterator[None]:
        """Train from one look to the next."""
        protocol, learner = self.trial.protocol, self.learner
        n, block = len(self.train[0]), learner.task_.block
        epochs = protocol.epochs
        if learner.shown is not None:
            epochs = min(epochs, max(1, math.ceil(learner.shown / (n * learner.task_.n_ticks))))
        order = np.random.default_rng(self.trial.seeds["order"])
        if learner.once or protocol.stop_when_faultless:
            self.pass_whole(epochs, order)
            yield
            return
        pending: list[Array] = []
        due = float(block)
        for epoch in range(epochs):
            rows = order.permutation(n) if protocol.order == "shuffled" else np.arange(n)
            seen, start = epoch * n, 0
            while not self.alone and (stop := -(-max(math.ceil(due) - seen, 1) // block) * block) < n:
                due = max(due * SPACING, seen + stop + 1)
                self.segment([*pending, rows[start:stop]])
                pending, start = [], stop
                yield
            pending.append(rows[start:])
            if seen + n >= due or epoch == epochs - 1:
                due = max(due * SPACING, seen + n + 1)
                self.segment(pending)
                pending = []
                yield

    def segment(self, rows: list[Array]) -> None:
        """Live through lists of rows, one after the other; those of one length go together."""
        start = 0
        while start < len(rows):
            stop = start + 1
            while stop < len(rows) and len(rows[stop]) == len(rows[start]):
                stop += 1
            self.live(np.stack(rows[start:stop]))
            start = stop

    def pass_whole(self, epochs: int, order: np.random.Generator) -> None:
        """All the budget at once: for learners that take the data whole, and for the perceptron's count of faultless epochs."""
        n = len(self.train[0])
        shuffled = self.trial.protocol.order == "shuffled"
        orders = np.stack([order.permutation(n) if shuffled else np.arange(n) for _ in range(1 if self.learner.once else epochs)])
        self.live(orders, stop=self.trial.protocol.stop_when_faultless)

    def live(self, orders: Array, *, stop: bool = False) -> None:
        """Live through `orders` (epochs, m), on the clock."""
        X, Y = self.train
        start = time.perf_counter()
        if self.alone:
            self.learner.live(X, orders=orders, plastic=True)
        else:
            self.learner.live(X, Y, self.taught, orders=orders, stop=stop)
        self.train_s += time.perf_counter() - start
        lived = len(self.learner.missed_)
        self.samples += lived * orders.shape[1]
        self.epochs = self.samples / len(X)
        if not self.learner.finite():
            raise DivergedError(self.samples)

    # ------------------------------------------------------------------ looking

    def score(self, part: Split) -> float:
        """The score on a part of the data. The learner stays as it is.

        One that learns alone is first read out: labels of the training data name what it has found.
        """
        twin = self.learner.fork()
        if self.alone:
            if self.reading[0] != self.samples:
                twin.live(*self.train, self.taught, plastic=False)
                self.reading = self.samples, twin
            twin = self.reading[1].fork()
        out = twin.live(self.shown(part)[0])[:, -1]
        if not np.isfinite(out).all():
            raise DivergedError(self.samples)
        return self.metric(out, part.X, part.y, self.data, twin.cut)

    def chance(self, part: Split) -> float | None:
        """The score on a part of the data of an answer that ignores the signal; that of the task where no class is named."""
        if self.data.n_classes:
            return float(np.bincount(part.y).max() / len(part)) if len(part) else None
        return self.task.chance if self.data.chance is None else self.data.chance

    def observe(self) -> None:
        """What the learner says of itself at this point, on the first block of its training data."""
        X, Y = self.train
        block = self.learner.task_.block
        figures = self.learner.fork().observe(X[:block], Y[:block])
        known = {name: x for name, x in figures.items() if plain(x) is not None}
        if known:
            self.observed.append(dict(samples=self.samples, **known))

    def note(self, split: str, score: float) -> None:
        """One point of the learning curve."""
        self.scores[split] = score
        point = dict(samples=self.samples, operations=None, seconds=self.train_s, score=plain(score), split=split)
        self.curve.append(point)

    def extra(self) -> dict[str, Any]:
        """Figures beside the columns: the chance level of the validation data, and what the learner said of itself."""
        found: dict[str, Any] = dict(chance_valid=self.chance(self.data.valid)) if self.trial.protocol.validate else {}
        return found | dict(observed=self.observed) if self.observed else found

    def result(self, outcome: str, reason: str = "", score: float | None = None) -> Result:
        """What there is to say, whole or cut short."""
        task, data = self.task, self.data
        chance = task.chance if data.chance is None else data.chance
        ceiling = task.ceiling if data.ceiling is None else data.ceiling
        per_sample = self.counts.train_total / self.samples if self.counts.train_total is not None and self.samples else None
        for point in self.curve:
            point["operations"] = None if per_sample is None else round(per_sample * point["samples"])
        return Result(
            outcome=outcome, reason=reason, metric=task.metric, score=None if score is None else plain(score),
            chance=chance, ceiling=ceiling, score_normalised=None if score is None else normalised(score, chance, ceiling),
            score_train=self.scores.get("train"), score_valid=self.scores.get("valid"),
            n_train=len(data.train), n_valid=len(data.valid), n_test=len(data.test),
            samples=self.samples, epochs=self.epochs, state_bytes=self.learner.state_bytes,
            train_s=self.train_s, infer_s=self.infer_s, curve=self.curve, **self.counts.columns(),
            extra=self.extra(),
        )  # fmt: skip
