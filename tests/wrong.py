"""Learners that break the contract, each in one way. `Right` keeps it: the normalised delta rule."""

import numpy as np

from harness.learner import Classifier, Population, Synapse, hyper


def init(task, rng):
    """Weights W (n_out, n_in), biases b (n_out,), response y and error e (1, n_out)."""
    (n_in,), n_out = task.shape, task.n_out
    return dict(W=np.zeros((n_out, n_in)), b=np.zeros(n_out), y=np.zeros((1, n_out)), e=np.zeros((1, n_out)))


def respond(signal, out, W, b, y):
    """y = W x + b."""
    for k in range(W.shape[0]):
        total = b[k]
        for j in range(W.shape[1]):
            total += W[k, j] * signal[0, j]
        y[0, k] = total
    for k in range(W.shape[0]):
        out[0, k] = y[0, k]


def learn(target, signal, W, b, y, e, rate):
    """e = target - y; W += rate e x / (1 + |x|^2), b likewise."""
    length = W.dtype.type(1)
    for j in range(W.shape[1]):
        length += signal[0, j] * signal[0, j]
    for k in range(W.shape[0]):
        e[0, k] = target[0, k] - y[0, k]
    for k in range(W.shape[0]):
        step = rate * e[0, k] / length
        b[k] += step
        for j in range(W.shape[1]):
            W[k, j] += step * signal[0, j]


class Right(Classifier):
    """Linear units that learn from the difference between target and response."""

    rate: float = hyper(default=0.1, doc="share of the error that one sample removes", low=1e-6, high=1.0, log=True)

    source = ("Widrow and Hoff (1960)",)
    cut = 0.5
    synapses = Synapse("W", "signal", "y"), Synapse("b", "1", "y", "bias")
    populations = Population("y"), Population("e", "error")
    init, respond, learn = init, respond, learn


# ---------------------------------------------------------------- what is written, and where


def scribble(signal, out, W, b, y):
    """Wipes its input."""
    for k in range(W.shape[0]):
        y[0, k] = b[k] + W[k, 0] * signal[0, 0]
        out[0, k] = y[0, k]
    signal[0, 0] = 0


class Scribbler(Right):
    """Writes to the signal."""

    respond = scribble


def drift(signal, out, W, b, y):
    """Learns while it only responds."""
    for k in range(W.shape[0]):
        y[0, k] = b[k] + W[k, 0] * signal[0, 0]
        W[k, 0] += y[0, k] + 1
        out[0, k] = y[0, k]


class Restless(Right):
    """Changes its weights whenever it responds."""

    respond = drift


def bias_forgotten(target, signal, W, y, rate):
    """W alone."""
    for k in range(W.shape[0]):
        for j in range(W.shape[1]):
            W[k, j] += rate * (target[0, k] - y[0, k]) * signal[0, j]


class Idler(Right):
    """Says that its bias is plastic, and never changes it."""

    learn = bias_forgotten


def bias_moved(target, signal, W, b, y, rate):
    """Both."""
    for k in range(W.shape[0]):
        b[k] += rate * (target[0, k] - y[0, k])
        for j in range(W.shape[1]):
            W[k, j] += rate * (target[0, k] - y[0, k]) * signal[0, j]


class Denier(Right):
    """Says that its bias is not plastic, and changes it."""

    synapses = Synapse("W", "signal", "y"), Synapse("b", "1", "y", "bias", plastic=False)
    learn = bias_moved


def deaf(target, signal, W, b, y):
    """Its own step, whatever the rate."""
    for k in range(W.shape[0]):
        b[k] += (target[0, k] - y[0, k]) / 8
        for j in range(W.shape[1]):
            W[k, j] += (target[0, k] - y[0, k]) * signal[0, j] / 8


class Stubborn(Right):
    """Learns at a rate of 0."""

    learn = deaf


# ---------------------------------------------------------------- what is hidden

MEMORY = np.zeros(1)
LABELS = [0.0]
CALLS = {"init": 0}


def remember(signal, out, W, b, y):
    """Adds what the module remembers."""
    for k in range(W.shape[0]):
        y[0, k] = b[k] + W[k, 0] * signal[0, 0] + MEMORY[0]
        out[0, k] = y[0, k]


class Hoarder(Right):
    """Keeps state in an array of its module."""

    respond = remember


def count_calls(task, rng):
    """W, b, y, e, of which b hangs on how often it was called."""
    CALLS["init"] += 1
    return init(task, rng) | dict(b=np.full(task.n_out, float(CALLS["init"])))


class Counter(Right):
    """Starts differently each time."""

    init = count_calls


def peek(signal, out, W, b, y):
    """Reads the label that `learn` left in the module."""
    for k in range(W.shape[0]):
        y[0, k] = LABELS[0]
        out[0, k] = y[0, k]


def leak(target, signal, W, b, y, e, rate):
    """Leaves the label in the module."""
    LABELS[0] = target[0, 0]


class Peeker(Right):
    """Passes the label on where no parameter names it."""

    respond, learn = peek, leak


def gamble(target, signal, W, b, y, rate):
    """Draws from NumPy's global generator."""
    for k in range(W.shape[0]):
        b[k] += rate * np.random.normal()  # noqa: NPY002 - that is what is wrong
        for j in range(W.shape[1]):
            W[k, j] += rate * np.random.normal()  # noqa: NPY002 - that is what is wrong


class Gambler(Right):
    """Learns by luck that no seed repeats."""

    learn = gamble


def dice(task, rng):
    """W, b, y, e, drawn from NumPy's global generator."""
    return init(task, rng) | dict(W=np.random.normal(size=(task.n_out, *task.shape)))  # noqa: NPY002 - likewise


class Starter(Right):
    """Starts by luck that no seed repeats."""

    init = dice


def two_weights(task, rng):
    """W, b, y, e, and V (n_out, n_in) of which nobody hears."""
    return init(task, rng) | dict(V=np.zeros((task.n_out, *task.shape)))


def through_both(signal, out, W, V, b, y):
    """y = (W + V) x + b."""
    for k in range(W.shape[0]):
        total = b[k]
        for j in range(W.shape[1]):
            total += (W[k, j] + V[k, j]) * signal[0, j]
        y[0, k] = total
    for k in range(W.shape[0]):
        out[0, k] = y[0, k]


def both(target, signal, W, V, b, y, rate):
    """Both change."""
    for k in range(W.shape[0]):
        step = rate * (target[0, k] - y[0, k])
        b[k] += step
        for j in range(W.shape[1]):
            W[k, j] += step * signal[0, j]
            V[k, j] += step * signal[0, j]


class Smuggler(Right):
    """Learns in an array that no synapse declares."""

    init, respond, learn = two_weights, through_both, both


def allocate(signal, out, W, b, y):
    """Makes a new array each time."""
    total = np.zeros(W.shape[0], W.dtype)
    for k in range(W.shape[0]):
        total[k] = b[k] + W[k, 0] * signal[0, 0]
        y[0, k] = total[k]
        out[0, k] = y[0, k]


class Spender(Right):
    """Allocates in a kernel."""

    respond = allocate


# ---------------------------------------------------------------- what is declared


def sideways(task, rng):
    """W the wrong way round, b, y, e."""
    return init(task, rng) | dict(W=np.zeros((*task.shape, task.n_out)))


class Misshapen(Right):
    """Its weights are (pre, post)."""

    init = sideways


class Ghost(Right):
    """Declares an array that there is not."""

    populations = Population("y"), Population("e", "error"), Population("trace")


class Stranger(Right):
    """Its synapse comes from nowhere."""

    synapses = Synapse("W", "cortex", "y"), Synapse("b", "1", "y", "bias")


def misspelt(target, signal, W, ratte):
    """Names what does not exist."""


class Misspelt(Right):
    """Asks for what is neither an array nor a hyperparameter."""

    learn = misspelt


def silent(target, signal, W, b, y, e, rate):
    for k in range(W.shape[0]):
        b[k] += rate


class Silent(Right):
    """One of its kernels says nothing."""

    learn = silent


class Secret(Right):
    pass


Secret.__doc__ = None


class Orphan(Right):
    """Comes from nowhere."""

    source = ()


# ---------------------------------------------------------------- how it runs


def beyond(signal, out, W, b, y):
    """Reads one weight too far: Python says so, machine code does not."""
    for k in range(W.shape[0]):
        y[0, k] = b[k] + W[k, W.shape[1]] * 0
        out[0, k] = y[0, k]


class Overreacher(Right):
    """Does not do the same compiled and as Python."""

    respond = beyond


class Fickle(Right):
    """Something happens at each call of `live`, however long the stream is."""

    def named(self, kernel, extra):
        if kernel == "learn":
            self.arrays()["W"][...] += 1
        return super().named(kernel, extra)


class Forgetful(Right):
    """Keeps something outside its arrays."""

    def named(self, kernel, extra):
        if kernel == "learn":
            self.calls_ = getattr(self, "calls_", 0) + 1
            self.arrays()["W"][...] += self.calls_
        return super().named(kernel, extra)


class Sharer(Right):
    """Its fork is itself."""

    def fork(self, **changes):
        twin = super().fork(**changes)
        if not changes:
            twin.layout_ = self.layout_
        return twin


def loose_sizes(task, rng):
    """W, b, y, e, where W of one output is flat."""
    state = init(task, rng)
    return state | dict(W=state["W"].ravel() if task.n_out == 1 else state["W"])


def flat(signal, out, W, b, y):
    """y = b + W_0."""
    for k in range(b.shape[0]):
        y[0, k] = b[k] + W.ravel()[k]
        out[0, k] = y[0, k]


def flat_learn(target, W, b, y, rate):
    """W and b."""
    for k in range(b.shape[0]):
        b[k] += rate * (target[0, k] - y[0, k])
    for i in range(W.size):
        W.ravel()[i] += rate


class Shapeless(Right):
    """Its sizes are part of its types."""

    init, respond, learn = loose_sizes, flat, flat_learn


def explode(target, signal, W, b, y, rate):
    """Grows without bound."""
    for k in range(W.shape[0]):
        b[k] += rate
        for j in range(W.shape[1]):
            W[k, j] += np.exp(rate) * rate


class Exploder(Right):
    """Takes a rate that leads to infinity."""

    rate: float = hyper(default=0.1, doc="step size", low=1e-6, high=1e3, log=True)

    learn = explode


def mumble(task, rng, rate):
    """W, b, y, e; refuses without saying what."""
    if rate > 0.5:
        raise ValueError("no")
    return init(task, rng)


class Mumbler(Right):
    """Refuses a value, and does not say which."""

    init = mumble


class Swallower(Right):
    """Learns from what is no number."""

    def fit(self, X, y):
        return super().fit(np.nan_to_num(X), y)


def divide(signal, out, W, b, y):
    """y = b + (x - mean x) / (the spread of x)."""
    mean = W.dtype.type(0)
    for j in range(W.shape[1]):
        mean += signal[0, j] / W.shape[1]
    spread = W.dtype.type(0)
    for j in range(W.shape[1]):
        spread += abs(signal[0, j] - mean)
    for k in range(W.shape[0]):
        y[0, k] = b[k] + W[k, 0] * (signal[0, 0] - mean) / spread
        out[0, k] = y[0, k]


class Divider(Right):
    """Divides by the spread of a signal, which one feature does not have."""

    respond = divide


class Restarter(Right):
    """Asked often enough, it answers otherwise."""

    def predict(self, X):
        self.arrays()["b"][...] += 1e-3
        return super().predict(X)


def look_at_bits(signal, out, W, b, y):
    """y = b + W_0 x_0, or b where the last bit of W_0 is 1."""
    for k in range(W.shape[0]):
        odd = W.view(np.int32)[k, 0] & 1
        y[0, k] = b[k] if odd else b[k] + W[k, 0] * signal[0, 0]
        out[0, k] = y[0, k]


class Fiddler(Right):
    """Looks at the bits of its numbers, which only machine numbers have."""

    respond = look_at_bits
