"""Every rule once more, straight from its paper, in plain NumPy: slow, and sharing no line with the kernels.

Gradients are not written down again: they are taken from the forward formula by the complex step, f'(w) = Im f(w + ih) / h,
which subtracts nothing and so is exact to rounding. A forward formula here must therefore hold for complex numbers.
"""

import numpy as np

STEP = 1e-30


def perceptron(X, T, W, b, rate, fires_at_zero=False):
    """Rosenblatt's rule, row by row: weights, biases, potentials (n, K), and the misses of each row (n, K)."""
    W, b, potentials, missed = W.copy(), b.copy(), [], []
    for x, t in zip(X, T, strict=True):
        y = W @ x + b
        fired = y >= 0 if fires_at_zero else y > 0
        W += rate * np.outer(t - fired, x)
        b += rate * (t - fired)
        potentials.append(y)
        missed.append(t != fired)
    return W, b, np.array(potentials), np.array(missed)


def hebb(X, T, rate):
    """The sum over rows of rate z x', where z is the target about its mean."""
    return rate * (T - 1 / max(T.shape[1], 2)).T @ X


def oja(X, W, rate, slowing, age=0):
    """Oja's rule, row by row: weights, and responses (n, K)."""
    W, answers = W.copy(), []
    for x in X:
        y = W @ x
        W += rate / (1 + age / slowing) * (np.outer(y, x) - (y * y)[:, None] * W)
        age += 1
        answers.append(y)
    return W, np.array(answers)


def threshold_unit(x, w, threshold):
    return int(sum(a * b for a, b in zip(x, w, strict=True)) >= threshold)


# ---------------------------------------------------------------- networks


def positive(u):
    return np.real(u) > 0


VALUES = {
    "linear": lambda u: u,
    "sigmoid": lambda u: 1 / (1 + np.exp(-u)),
    "tanh": np.tanh,
    "relu": lambda u: np.where(positive(u), u, 0),
    "leaky_relu": lambda u: np.where(positive(u), u, 0.01 * u),
    "elu": lambda u: np.where(positive(u), u, np.exp(np.where(positive(u), 0, u)) - 1),
}
SLOPES = {
    "linear": np.ones_like,
    "sigmoid": lambda u: np.exp(-u) / (1 + np.exp(-u)) ** 2,
    "tanh": lambda u: np.cosh(u) ** -2.0,
    "relu": lambda u: np.where(u > 0, 1.0, 0.0),
    "leaky_relu": lambda u: np.where(u > 0, 1.0, 0.01),
    "elu": lambda u: np.where(u > 0, 1.0, np.exp(u)),
}
KINKED = "relu", "leaky_relu", "prelu"
"""Activations without a slope at 0. ELU has one there."""


def windowed(X, window):
    """The last `window` ticks of X (n, T, d), oldest first, zeros before the beginning: (n, window d)."""
    n, T, d = X.shape
    padded = np.concatenate([np.zeros((n, window, d)), X], axis=1)
    return padded[:, T:].reshape(n, window * d)


def mlp(w, X, activation, residual=False):
    """Outputs (n, K) of signals X (n, d), and the potentials of the hidden layers; w has W[l], b[l], alpha[l]."""
    L, x, potentials = sum(name.startswith("W[") for name in w), X, []
    for l in range(L - 1):
        u = x @ w[f"W[{l}]"].T + w[f"b[{l}]"]
        potentials.append(u)
        y = np.where(positive(u), u, w[f"alpha[{l}]"] * u) if activation == "prelu" else VALUES[activation](u)
        x = x + y if residual and l > 0 else y
    return x @ w[f"W[{L - 1}]"].T + w[f"b[{L - 1}]"], potentials


def attention(w, X, heads, causal=False, pool="last"):
    """Outputs (n, K) of sequences X (n, T, d), and the weights A (n, heads, T, T)."""
    outputs, every = [], []
    d, kind = len(w["E"]), np.result_type(X, *w.values())
    c = d // heads
    for x in X:
        T = len(x)
        h = x @ w["E"].T + w["P"]
        q, k, v = (h @ w[f"W[{m}]"].T for m in range(3))
        told, rows = np.zeros((T, d), kind), []
        for g in range(heads):
            part = slice(g * c, (g + 1) * c)
            A = np.zeros((T, T), kind)
            for t in range(T):
                seen = t + 1 if causal else T
                score = k[:seen, part] @ q[t, part] / np.sqrt(c)
                A[t, :seen] = np.exp(score - score.real.max())
                A[t] = A[t] / A[t].sum()
            told[:, part] = A @ v[:, part]
            rows.append(A)
        z = h + told @ w["W[3]"].T
        outputs.append(w["U"] @ (z[-1] if pool == "last" else z.mean(0)) + w["b"])
        every.append(rows)
    return np.array(outputs), np.array(every)


def loss(Z, T, kind):
    """The mean over rows of half the squared error, or of the cross-entropy: of the softmax, or of a lone logistic unit."""
    if kind == "squared":
        return ((Z - T) ** 2).sum() / 2 / len(Z)
    logits = np.concatenate([np.zeros_like(Z), Z], axis=1) if Z.shape[1] == 1 else Z
    top = np.real(logits).max(1, keepdims=True)
    whole = np.log(np.exp(logits - top).sum(1)) + top[:, 0]
    return (whole - (T * Z).sum(1)).sum() / len(Z)


def gradient(f, w, names):
    """The gradient of a real function f(w) by the complex step, for the arrays `names` of w."""
    found = {}
    for name in names:
        g = np.zeros(w[name].shape)
        for i in np.ndindex(g.shape):
            moved = w[name].astype(complex)
            moved[i] += 1j * STEP
            g[i] = f(w | {name: moved}).imag / STEP
        found[name] = g
    return found


def central(f, w, names, h=6e-6):
    """The gradient by central differences."""
    found = {}
    for name in names:
        g = np.zeros(w[name].shape)
        for i in np.ndindex(g.shape):
            up, down = w[name].copy(), w[name].copy()
            up[i] += h
            down[i] -= h
            g[i] = (f(w | {name: up}) - f(w | {name: down})) / (up[i] - down[i])
        found[name] = g
    return found


def descend(gradients, w, optimiser, rate, beta=0.9, beta2=0.999, decay=0.0):
    """Weights after steps down: `gradients(w)` is the gradient at w, called once a step; yields w after each."""
    m, v, age = np.zeros_like(w), np.zeros_like(w), 0
    while True:
        g, age = gradients(w), age + 1
        w = w - rate * decay * w
        if optimiser == "sgd":
            w = w - rate * g
        elif optimiser == "momentum":
            m = beta * m + g
            w = w - rate * m
        elif optimiser == "rmsprop":
            v = beta * v + (1 - beta) * g**2
            w = w - rate * g / (np.sqrt(v) + 1e-8)
        else:
            m = beta * m + (1 - beta) * g
            v = beta2 * v + (1 - beta2) * g**2
            w = w - rate * (m / (1 - beta**age)) / (np.sqrt(v / (1 - beta2**age)) + 1e-8)
        yield w


# ---------------------------------------------------------------- numbers


def splitmix64(state, n):
    """The first n outputs of Steele, Lea and Flood's generator, in whole numbers of any size."""
    out = []
    for _ in range(n):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        out.append(z ^ (z >> 31))
    return out
