"""Burst-dependent plasticity: whether cells fire tells what they see, how often they then burst tells what they are taught.

Payeur, A., Guerguiev, J., Zenke, F., Richards, B. A. & Naud, R. (2021). Burst-dependent synaptic plasticity can coordinate
learning in hierarchical circuits. Nature Neuroscience 24, 1010-1019. doi:10.1038/s41593-021-00857-x
The equations are those of the rates in the authors' code (github.com/jordan-g/Burstprop); the numbers of the article's own
were not at hand. That the last layer is a softmax taught by its error, and hidden cells have p = p0 at rest, is there as well.

Biological reading: events (rates e) travel up through W. Bursts (rates b = p e) travel down through synapses F of their own
and excite the apical dendrite, which makes the next event of its cell more, or less, likely to be a burst. Short-term
plasticity lets each kind of synapse hear but its own half of one axon. A synapse grows by the burst probability in excess of
what it is without a teacher, times the events on both sides: (p - p at rest) e e'. There are two phases, but one pass up.
Dendritic inhibition from the cell's own layer learns, in the article, to take away what feedback brings at rest, which keeps
p where its slope is steepest; here it has learnt (`inhibited`), or is not there.

If the teacher is faint and F = W', changes tend to a multiple of the gradient: of the layer below by gain p0 (1 - p0) more.
"""

import math
from typing import ClassVar

from harness.jit import kernel, lean
from harness.learner import Population, RefusedError, hyper
from learners import feedback_alignment
from learners.feedback_alignment import FeedbackAlignment
from learners.kernels import ACTIVATIONS, LOSSES, SIGMOID, dot_t, error, tanh
from learners.network import change
from learners.settling import shift


def init(task, rng, hidden, depth, activation, start, block):
    """The network of feedback alignment, and burst rates at rest q[l] (block, n[l+1])."""
    state = feedback_alignment.init(task, rng, hidden, depth, activation, start, block)
    return state | dict(q=tuple(e.copy() for e in state["d"]))


@kernel
def rest_and_excess(e, q, d, size, p0, gain, inhibited):
    """From feedback of bursts at rest q, and in excess d, to the bursts of cells with event rates e, both in place.

    p = sigmoid(logit p0 + gain (1 - e) (q + d)), at rest without d; with inhibition, without q. q = p e at rest, d = the rest.
    """
    one, half, rest = e.dtype.type(1), e.dtype.type(0.5), e.dtype.type(p0)
    for i in range(size):
        d[i] = gain * (one - e[i]) * d[i]
    if inhibited:
        for i in range(size):
            q[i] = rest
    else:
        foot = e.dtype.type(math.log(p0 / (1 - p0)))
        for i in range(size):
            q[i] = half * (foot + gain * (one - e[i]) * q[i])
        tanh(q, size)
        for i in range(size):
            q[i] = half + half * q[i]
    shift(d, q, q, size, SIGMOID)
    for i in range(size):
        d[i] *= e[i]
    for i in range(size):
        q[i] *= e[i]


@lean
def learn(target, F, dW, db, a, d, q, n, block, loss, p0, gain, teaching, inhibited):
    """d[L-1] = p0 teaching (target - e), then down: the bursts in excess, (p - p at rest) e. Last, all d over B p0 teaching.

    dW[l] = d[l]' a[l], db[l] = sum d[l].
    """
    B, K = target.shape
    L = n.size - 1
    at, to, f = a.size - block * K, d.size - block * K, F.size
    top, share = d[to:], float(p0) * float(teaching)
    error(a[at:], target, loss, top)
    for i in range(B):
        for k in range(K):
            gap = B * top[i * K + k]
            q[to + i * K + k] = p0 * (target[i, k] - gap)
            top[i * K + k] = gap * d.dtype.type(share)
    for l in range(L - 1, 0, -1):
        k, m = n[l], n[l + 1]
        f, at = f - m * k, at - block * k
        e, r, to = d[to:], q[to:], to - block * k
        dot_t(e, F[f:], d[to:], B, m, k)
        if not inhibited:
            dot_t(r, F[f:], q[to:], B, m, k)
        rest_and_excess(a[at:], q[to:], d[to:], B * k, float(p0), gain, inhibited)
    scale, to = d.dtype.type(1 / (B * share)), 0
    for l in range(L):
        e = d[to:]
        for i in range(B * n[l + 1]):
            e[i] = scale * e[i]
        to += block * n[l + 1]
    change(dW, db, a, d, n, block, B)


class BurstPropagation(FeedbackAlignment):
    """Rates of events go up, probabilities of bursts come down."""

    activation: str = hyper(
        default="sigmoid", doc="of the hidden layers: rates of events", choices=ACTIVATIONS[:-1], search=False
    )
    loss: str = hyper(default="entropy", doc="cross-entropy: the outputs' rates are probabilities", choices=LOSSES[:1])
    p0: float = hyper(default=0.2, doc="burst probability at rest", low=0.01, high=0.99)
    gain: float = hyper(
        default=6.25,
        doc="steepness of the dendrite; at 1 / (p0 (1 - p0)) teaching keeps its scale",
        low=0.01,
        high=100.0,
        log=True,
    )
    teaching: float = hyper(
        default=1.0, doc="share of the way to the target that the last layer's bursts are bent", low=1e-4, high=1.0, log=True
    )
    inhibited: bool = hyper(default=True, doc="whether inhibition takes away the feedback there is without a teacher")

    source = ("doi:10.1038/s41593-021-00857-x",)
    expected_failed_checks: ClassVar = dict(
        check_classifiers_train="in the few passes of the check sigmoid layers barely move at its defaults"
    )
    populations = *FeedbackAlignment.populations, Population("q[l]")
    init, learn = init, learn

    def begin(self, task, seeds=None):
        """Refuse activations that are no rates."""
        if self.activation != ACTIVATIONS[SIGMOID]:
            raise RefusedError(
                f"{type(self).__name__}.activation={self.activation!r} must be 'sigmoid': rates of events are positive, "
                f"and the slope over the rate is what the dendrite is scaled by, 1 - e."
            )
        return super().begin(task, seeds)
