"""What probes show a learner beside the one sample of the audit: more samples, and a small task that can be learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from harness.audit.subject import Subject
    from harness.base import Learner
    from harness.declare import Sizes
    from harness.state import Array

SPREAD = 0.15
"""Deviation within a class, where the means of classes lie anywhere between 0.1 and 1 in each input."""


def samples(subject: Subject, n: int, key: int) -> tuple[Array, Array]:
    """Signals (n, ticks, inputs) and one-hot targets (n, ticks, outputs), as the subject's own, but of a stream `key` of theirs.

    What one probe draws is no matter to another, so each finding repeats on its own.
    """
    rng = np.random.default_rng([subject.seed, key])
    T, K = subject.task.n_ticks, subject.task.n_out
    X = 0.1 + 0.9 * rng.random((n, T, *subject.task.shape))
    return X, np.repeat(np.eye(K)[rng.integers(K, size=n)][:, None], T, axis=1)


def beginner(subject: Subject, seed: int, **params: Any) -> Learner:
    """A learner of the subject's kind that has seen nothing yet, in single precision and compiled, with other settings."""
    task = subject.task
    if subject.cls.can.whole:  # what it calls one signal is a sequence
        task = task._replace(shape=task.shape[1:], n_ticks=task.shape[0])
    return subject.cls(**subject.params | dict(bits=32) | params, random_state=seed).begin(task)


def clouds(task: Sizes, n: int, seed: int) -> tuple[Array, Array]:
    """A task: each class a normal cloud about its mean. Signals (n, ticks, *shape), the same at each tick; targets likewise."""
    rng = np.random.default_rng([seed, 11])
    means = 0.1 + 0.9 * rng.random((task.n_out, *task.shape))
    named = rng.permutation(np.arange(n) % task.n_out)
    X = np.clip(means[named] + SPREAD * rng.standard_normal((n, *task.shape)), task.low, task.high)
    Y = np.eye(task.n_out)[named]
    return np.repeat(X[:, None], task.n_ticks, axis=1), np.repeat(Y[:, None], task.n_ticks, axis=1)


def share_right(out: Array, Y: Array) -> float:
    """Accuracy of responses (n, ticks, n_out) at the last tick; what is not finite is wrong."""
    right = (out[:, -1].argmax(1) == Y[:, -1].argmax(1)) & np.isfinite(out[:, -1]).all(1)
    return float(right.mean())
