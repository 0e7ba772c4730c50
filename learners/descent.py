"""What brings a raw change into the weights: one kernel for every architecture, because `theta` is one vector.

Robbins, H. & Monro, S. (1951). A stochastic approximation method. doi:10.1214/aoms/1177729586
Polyak, B. T. (1964). Some methods of speeding up the convergence of iteration methods. doi:10.1016/0041-5553(64)90137-5
Tieleman, T. & Hinton, G. (2012). Lecture 6.5: rmsprop. Coursera: Neural Networks for Machine Learning.
Kingma, D. P. & Ba, J. (2015). Adam: a method for stochastic optimization. ICLR. arXiv:1412.6980
Loshchilov, I. & Hutter, F. (2019). Decoupled weight decay regularization. ICLR. arXiv:1711.05101 (Adam with decay is AdamW)
"""

import math

import numpy as np

from harness.learner import Classifier, hyper

OPTIMISERS = "sgd", "momentum", "adam", "rmsprop"
SGD, MOMENTUM, ADAM, RMSPROP = range(4)


def adapt(theta, grad, m, v, age, optimiser, rate, beta, beta2, decay):
    """g is the change asked for. theta += rate g; or m = beta m + g, theta += rate m; or Adam, algorithm 1 of its paper.

    Or RMSprop: v = beta v + (1 - beta) g g, theta += rate g / (sqrt v + 1e-8). Before that, theta -= rate decay theta.
    theta, grad, m, v (all weights,); age (1,) counts updates.
    """
    one = theta.dtype.type(1)
    if decay > 0:
        kept = one - rate * decay
        for i in range(theta.size):
            theta[i] *= kept
    if optimiser == SGD:
        for i in range(theta.size):
            theta[i] += rate * grad[i]
    elif optimiser == MOMENTUM:
        for i in range(theta.size):
            m[i] = beta * m[i] + grad[i]
            theta[i] += rate * m[i]
    elif optimiser == RMSPROP:
        tiny = theta.dtype.type(1e-8)
        for i in range(theta.size):
            g = grad[i]
            v[i] = beta * v[i] + (one - beta) * g * g
            theta[i] += rate * g / (theta.dtype.type(math.sqrt(v[i])) + tiny)
    else:
        age[0] += 1
        first = theta.dtype.type(1.0 / (1.0 - float(beta) ** age[0]))
        second = theta.dtype.type(1.0 / (1.0 - float(beta2) ** age[0]))
        tiny = theta.dtype.type(1e-8)
        # 1 - beta2, for age is at least 1: of a plain difference fast float32 code makes g g - beta2 g g, and cancels
        new = theta.dtype.type(1.0 - float(beta2) ** min(age[0], 1))
        for i in range(theta.size):
            g = grad[i]
            m[i] = beta * m[i] + (one - beta) * g
            v[i] = beta2 * v[i] + new * g * g
            theta[i] += rate * (m[i] * first) / (theta.dtype.type(math.sqrt(v[i] * second)) + tiny)


def moments(size):
    """State of the optimiser for so many weights."""
    return dict(m=np.zeros(size), v=np.zeros(size), age=np.zeros(1, int))


class Descending(Classifier):
    """A classifier whose rule writes the change it asks for to `dW` and leaves the rest to an optimiser."""

    rate: float = hyper(default=1e-3, doc="step size", low=1e-6, high=10.0, log=True, unit="1/block", search=(1e-4, 0.3))
    optimiser: str = hyper(default="adam", doc="what turns a raw change into a step", choices=OPTIMISERS)
    beta: float = hyper(
        default=0.9, doc="memory of the mean change (momentum, Adam), or of the mean square (RMSprop)", low=0.0, high=0.9999,
        search=False,
    )  # fmt: skip
    beta2: float = hyper(default=0.999, doc="memory of the mean square (Adam)", low=0.0, high=0.99999, search=False)
    decay: float = hyper(default=0.0, doc="share of each weight that fades, over the rate", low=0.0, high=10.0, search=False)

    adapt = adapt
