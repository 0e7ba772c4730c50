"""The weight mirror: between lessons, noise shows the feedback synapses what the forward ones do.

Akrout, M., Wilson, C., Humphreys, P., Lillicrap, T. & Tweed, D. (2019). Deep learning without weight transport. NeurIPS 32,
976-984. arXiv:1904.05391

Biological reading: in the pause after each taught block, cells of one layer after another fire at random, and drive the
layer above through W and the feedback cells beside both. What fires together grows a synapse F (Hebb), in proportion to W'
alone, because noise agrees with nothing else; and all of F fades a little, so that it stays in scale. No error is about.

Noise of variance s^2 makes, in the mean, s^2 W' of it where units are linear, and s^2 W' f'(b) where they bend. The step is
taken over s^2 and the fading is as large as the step, so that F settles at that mean over s^2: W' itself, if all is linear.
"""

import numpy as np

from harness.jit import kernel, lean
from harness.learner import hyper
from learners import feedback_alignment
from learners.draws import even
from learners.feedback_alignment import FeedbackAlignment
from learners.kernels import LINEAR, activate, dot_t, t_dot


def init(task, rng, hidden, depth, activation, start, block):
    """The network of feedback alignment, and H[l] (n[l+1], n[l+2]): how noise and what it makes went together."""
    state = feedback_alignment.init(task, rng, hidden, depth, activation, start, block)
    return state | dict(H=tuple(map(np.zeros_like, state["F"])) if depth else np.zeros(0))


@kernel
def drive(x, noise, size, sigma):
    """x = independent noise of mean 0 and deviation sigma, even in +-sqrt(3) sigma."""
    bound = 3**0.5 * float(sigma)
    even(x, noise, size, -bound, 2 * bound)


@lean
def rest(taught, W, b, F, H, a, n, noise, block, activation, mirror, sigma, mirror_rate):
    """`mirror` times, for each hidden layer: a[l+1] = noise, a[l+2] = f(W[l+1] a[l+1] + b[l+1]), H[l] = a[l+1]' a[l+2].

    Then F[l] += mirror_rate (H[l] / (block sigma^2) - F[l]).
    """
    share = F.dtype.type(1) / (F.dtype.type(block) * sigma * sigma)
    for _ in range(mirror if taught else 0):
        at, w, c, f = block * n[0], n[0] * n[1], n[1], 0
        for l in range(n.size - 2):
            k, m = n[l + 1], n[l + 2]
            x, y, h, g = a[at:], a[at + block * k :], H[f:], F[f:]
            drive(x, noise, block * k, sigma)
            dot_t(x, W[w:], y, block, k, m)
            activate(y, b[c:], block, m, activation if l < n.size - 3 else LINEAR)
            t_dot(x, y, h, k, block, m)
            for i in range(k * m):
                g[i] += mirror_rate * (share * h[i] - g[i])
            at, w, c, f = at + block * k, w + m * k, c + m, f + k * m


class WeightMirror(FeedbackAlignment):
    """Feedback alignment whose feedback is tuned by noise, in the pauses."""

    mirror: int = hyper(default=1, doc="rounds of noise after each taught block", low=1, high=100, log=True)
    sigma: float = hyper(default=0.5, doc="deviation of the noise", low=1e-3, high=10.0, log=True)
    mirror_rate: float = hyper(
        default=0.1, doc="share of F that fades, and is made anew, in a round", low=1e-4, high=1.0, log=True
    )

    source = ("arXiv:1904.05391",)
    synapses = tuple(s._replace(plastic=True) for s in FeedbackAlignment.synapses)
    init, rest = init, rest
