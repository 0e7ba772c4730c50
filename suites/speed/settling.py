"""Predictive coding in PyTorch, as a user would write it who knows what stays the same, and as libraries write it."""

WEIGHTS = "W[0]", "b[0]", "W[1]", "b[1]"


def begun(learner, X, T):
    """Weights of a learner with one hidden layer and their optimiser; and blocks of X (n, d) and T (n, K)."""
    import torch

    w = [torch.from_numpy(learner.arrays()[name].copy()).requires_grad_() for name in WEIGHTS]
    blocks = list(zip(torch.from_numpy(X).split(learner.block), torch.from_numpy(T).split(learner.block), strict=True))
    return w, torch.optim.Adam(w, learner.rate, fused=True), blocks


def told(w, a):
    """Weights and hidden activities by the names that the learner gives them."""
    return {name: array.detach().numpy() for name, array in zip((*WEIGHTS, "a[1]"), (*w, a), strict=True)}


def by_hand(learner, X, T):
    """A runner with gradients written out. What is predicted of the hidden layer is worked out once a block."""
    import torch
    from torch.nn.functional import linear

    w, optimiser, blocks = begun(learner, X, T)
    W0, b0, W1, b1 = w

    @torch.no_grad()
    def run():
        for x, t in blocks:
            p = torch.tanh(linear(x, W0, b0))
            a = p.clone()
            for _ in range(learner.steps):
                d = t - torch.softmax(linear(a, W1, b1), 1)
                a.add_(d @ W1 - (a - p), alpha=learner.step)
            d = (torch.softmax(linear(a, W1, b1), 1) - t) / len(x)
            e = (p - a) * (1 - p * p) / len(x)
            for array, down in zip(w, (e.T @ x, e.sum(0), d.T @ a, d.sum(0)), strict=True):
                array.grad = down
            optimiser.step()
        return told(w, a)

    return run


def by_autograd(learner, X, T):
    """A runner that asks for the slope of the energy by the activities, and at the end by the weights."""
    import torch
    from torch.nn.functional import cross_entropy, linear

    w, optimiser, blocks = begun(learner, X, T)

    def energy(x, a, t):
        W0, b0, W1, b1 = w
        return (a - torch.tanh(linear(x, W0, b0))).square().sum() / 2 + cross_entropy(linear(a, W1, b1), t, reduction="sum")

    def run():
        for x, t in blocks:
            with torch.no_grad():
                a = torch.tanh(linear(x, *w[:2]))
            for _ in range(learner.steps):
                a.requires_grad_()
                (down,) = torch.autograd.grad(energy(x, a, t), a)
                a = a.detach() - learner.step * down
            optimiser.zero_grad()
            (energy(x, a, t) / len(x)).backward()
            optimiser.step()
        return told(w, a)

    return run
